using System.Text;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Schema;

/// <summary>Booleans, integers, texts, choices, secrets.</summary>
internal static class BasicTypes
{
    public static readonly ConfigType<bool> Boolean = new(
        "true or false",
        value => value is TomlBoolean boolean ? Parsed<bool>.Good(boolean.Value) : Parsed<bool>.Mismatch(value));

    /// <summary>As other programs of this family write it: 0 and 1.</summary>
    public static readonly ConfigType<bool> BooleanOrBit = new(
        "true or false (or 1 or 0)",
        value => value switch
        {
            TomlBoolean boolean => Parsed<bool>.Good(boolean.Value),
            TomlInteger { Value: 0 or 1 } bit => Parsed<bool>.Good(bit.Value == 1),
            TomlInteger integer => Parsed<bool>.Bad($"{integer.Value} is neither"),
            _ => Parsed<bool>.Mismatch(value),
        });

    public static ConfigType<int> Integer(int min, int max, string? unit = null) => new(
        $"an integer, {min} to {max}{(unit is null ? "" : " " + unit)}",
        value => value switch
        {
            TomlInteger integer when integer.Value >= min && integer.Value <= max => Parsed<int>.Good((int)integer.Value),
            TomlInteger integer => Parsed<int>.Bad($"{integer.Value} is out of range"),
            _ => Parsed<int>.Mismatch(value),
        });

    public static ConfigType<string> Text(string allowed, Func<string, bool> isAllowed) => new(
        allowed,
        value => value switch
        {
            TomlString text when isAllowed(text.Value) => Parsed<string>.Good(text.Value),
            TomlString text => Parsed<string>.Bad($"{Quote(text.Value)} is not allowed"),
            _ => Parsed<string>.Mismatch(value),
        });

    /// <summary>A text whose length in UTF-8 is bounded. No message quotes it.</summary>
    public static ConfigType<Secret> Secret(int maxBytes) => new(
        $"a string of 1 to {maxBytes} bytes",
        value => value switch
        {
            TomlString { Value: "" } => Parsed<Secret>.Bad("this is empty"),
            TomlString text when Encoding.UTF8.GetByteCount(text.Value) <= maxBytes => Parsed<Secret>.Good(new Secret(text.Value)),
            TomlString => Parsed<Secret>.Bad("this is too long"),
            _ => Parsed<Secret>.Mismatch(value),
        });

    /// <summary>One of a few words.</summary>
    /// <param name="refuse">For words that deserve more than "not allowed": what to say about them; null for others.</param>
    /// <param name="choices">The words and what they mean.</param>
    public static ConfigType<T> Choice<T>(Func<string, string?> refuse, params (string Word, T Value)[] choices) => new(
        string.Join(", ", choices.Select(choice => $"\"{choice.Word}\"")),
        value =>
        {
            if (value is not TomlString text)
                return Parsed<T>.Mismatch(value);

            foreach ((string word, T meaning) in choices)
            {
                if (word == text.Value)
                    return Parsed<T>.Good(meaning);
            }

            return Parsed<T>.Bad(refuse(text.Value) ?? $"{Quote(text.Value)} is not one of them");
        });

    public static ConfigType<T> Choice<T>(params (string Word, T Value)[] choices) => Choice(_ => null, choices);

    /// <summary>A text for a message: short, and without characters that a terminal would obey.</summary>
    public static string Quote(string text)
    {
        const int Longest = 60;
        string shown = text.Length > Longest ? text[..Longest] + "..." : text;
        return "\"" + string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c)) + "\"";
    }
}
