using System.Globalization;

namespace Tunnel.Ctl.Check.Knobs;

/// <summary>What a setting should be. Judges what it is, and says what to set it to; never to something worse than it is.</summary>
internal abstract record Wish
{
    /// <summary>Judges a setting's text.</summary>
    public abstract Judgement Judge(Reading now);

    /// <summary>Each of its numbers at least this. What is more already stays.</summary>
    public static Wish AtLeast(params long[] least) => new AtLeastWish(least);

    /// <summary>A number of at most this.</summary>
    public static Wish AtMost(long most) => new AtMostWish(most);

    /// <summary>A range of ports at least this wide at either end.</summary>
    public static Wish Range(long low, long high) => new RangeWish(low, high);

    /// <summary>One of these words, the best first.</summary>
    public static Wish OneOf(params string[] good) => new OneOfWish(good);

    /// <summary>Whatever it is.</summary>
    public static Wish Anything { get; } = new AnythingWish();

    private static string Join(IEnumerable<long> numbers) => string.Join(' ', numbers.Select(n => n.ToString(CultureInfo.InvariantCulture)));

    private sealed record AtLeastWish(long[] Least) : Wish
    {
        public override Judgement Judge(Reading now)
        {
            if (!now.TryNumbers(Least.Length, out long[] numbers, out string problem))
                return Judgement.Unknown(problem);
            bool met = numbers.Zip(Least).All(p => p.First >= p.Second);
            return new Judgement(met, Join(Least), Join(numbers.Zip(Least, Math.Max)));
        }
    }

    private sealed record AtMostWish(long Most) : Wish
    {
        public override Judgement Judge(Reading now) => now.TryNumber(out long number, out string problem)
            ? new Judgement(number <= Most, Join([Most]), Join([Math.Min(number, Most)]))
            : Judgement.Unknown(problem);
    }

    private sealed record RangeWish(long Low, long High) : Wish
    {
        public override Judgement Judge(Reading now)
        {
            if (!now.TryNumbers(2, out long[] n, out string problem))
                return Judgement.Unknown(problem);
            return new Judgement(n[0] <= Low && n[1] >= High, Join([Low, High]), Join([Math.Min(n[0], Low), Math.Max(n[1], High)]));
        }
    }

    private sealed record OneOfWish(string[] Good) : Wish
    {
        public override Judgement Judge(Reading now)
        {
            if (now.Words is not [var word])
                return Judgement.Unknown(now.Problem ?? $"\"{now.Text?.Trim()}\" is not one word");
            bool met = Good.Contains(word);
            return new Judgement(met, string.Join(" or ", Good), met ? word : Good[0]);
        }
    }

    private sealed record AnythingWish : Wish
    {
        public override Judgement Judge(Reading now) =>
            now.Text is null ? Judgement.Unknown(now.Problem!) : new Judgement(true, "as it is", string.Join(' ', now.Words)) { Matters = false };
    }
}

/// <summary>What came of comparing a setting with a wish.</summary>
/// <param name="IsMet">It is as it should be; also when that is not known.</param>
/// <param name="Should">What it should be, in words.</param>
/// <param name="Set">What to set it to: the wish, and where the setting has more already, that.</param>
/// <param name="Problem">Why it is not known; null when it is.</param>
internal sealed record Judgement(bool IsMet, string Should, string Set, string? Problem = null)
{
    /// <summary>There is a wish at all; false where anything is good.</summary>
    public bool Matters { get; init; } = true;

    public static Judgement Unknown(string problem) => new(true, "", "", problem);
}
