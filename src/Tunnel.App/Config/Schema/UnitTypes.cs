using System.Globalization;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Schema;

/// <summary>Sizes and durations: numbers with units.</summary>
internal static class UnitTypes
{
    private static readonly (string Name, double Factor)[] SizeUnits =
        [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9)];

    private static readonly (string Name, double Factor)[] DurationUnits =
    [
        ("us", TimeSpan.TicksPerMicrosecond),
        ("ms", TimeSpan.TicksPerMillisecond),
        ("s", TimeSpan.TicksPerSecond),
        ("m", TimeSpan.TicksPerMinute),
        ("h", TimeSpan.TicksPerHour),
    ];

    /// <summary>Bytes.</summary>
    public static ConfigType<int> Size(int min, int max) => SizeOf(min, max, bytes => (int)bytes);

    /// <summary>Bytes, perhaps more of them than an int counts.</summary>
    public static ConfigType<long> LargeSize(long min, long max) => SizeOf(min, max, bytes => (long)bytes);

    /// <param name="unit">What a bare number counts.</param>
    /// <param name="min">The shortest, as a file would write it.</param>
    /// <param name="max">The longest.</param>
    /// <param name="whole">Whether only whole units make sense.</param>
    public static ConfigType<TimeSpan> Duration(DurationUnit unit, string min, string max, bool whole = false)
    {
        double scale = unit == DurationUnit.Seconds ? TimeSpan.TicksPerSecond : TimeSpan.TicksPerMillisecond;
        double low = ReadText(min, DurationUnits)!.Value;
        double high = ReadText(max, DurationUnits)!.Value;
        string name = unit == DurationUnit.Seconds ? "seconds" : "milliseconds";
        string allowed = $"a duration, {min} to {max}: {(whole ? "whole " : "")}{name}, or a string such as \"500ms\" (us, ms, s, m, h)";
        return new(allowed, value =>
        {
            Parsed<double> ticks = ReadTicks(value, scale);
            if (ticks.Problem is null && whole && ticks.Value % scale != 0)
                return Parsed<TimeSpan>.Bad($"this is not a whole number of {name}");
            return Check(ticks, low, high, count => TimeSpan.FromTicks((long)Math.Round(count)));
        });
    }

    /// <summary>In the largest unit that divides it.</summary>
    public static string FormatSize(long bytes) => bytes switch
    {
        _ when bytes % (1 << 30) == 0 => $"{bytes >> 30}GiB",
        _ when bytes % (1 << 20) == 0 => $"{bytes >> 20}MiB",
        _ when bytes % (1 << 10) == 0 => $"{bytes >> 10}KiB",
        _ => $"{bytes}B",
    };

    private static ConfigType<T> SizeOf<T>(long min, long max, Func<double, T> convert)
    {
        string range = $"{FormatSize(min)} to {FormatSize(max)}";
        string allowed = $"a size, {range}: bytes, or a string such as \"8MiB\" (B, KiB, MiB, GiB, KB, MB, GB)";
        return new(allowed, value => Check(ReadBytes(value), min, max, convert));
    }

    private static Parsed<double> ReadBytes(TomlValue value) => value switch
    {
        TomlInteger integer => Parsed<double>.Good(integer.Value),
        TomlString text when ReadText(text.Value, SizeUnits) is { } bytes && double.IsInteger(bytes) => Parsed<double>.Good(bytes),
        TomlString text => Parsed<double>.Bad($"{BasicTypes.Quote(text.Value)} is not a size"),
        _ => Parsed<double>.Mismatch(value),
    };

    private static Parsed<double> ReadTicks(TomlValue value, double scale) => value switch
    {
        TomlInteger integer => Parsed<double>.Good(integer.Value * scale),
        TomlFloat number when double.IsFinite(number.Value) => Parsed<double>.Good(Math.Round(number.Value * scale)),
        TomlFloat => Parsed<double>.Bad("this is not a finite number"),
        TomlString text when ReadText(text.Value, DurationUnits) is { } ticks => Parsed<double>.Good(Math.Round(ticks)),
        TomlString text => Parsed<double>.Bad($"{BasicTypes.Quote(text.Value)} is not a duration"),
        _ => Parsed<double>.Mismatch(value),
    };

    /// <summary>Bounds are compared before the conversion, which they make safe.</summary>
    private static Parsed<T> Check<T>(Parsed<double> parsed, double min, double max, Func<double, T> convert) => parsed switch
    {
        { Problem: { } problem } => Parsed<T>.Bad(problem, parsed.At),
        _ when parsed.Value < min || parsed.Value > max => Parsed<T>.Bad("this is out of range"),
        _ => Parsed<T>.Good(convert(parsed.Value)),
    };

    /// <summary>Digits, perhaps a fraction, and a unit directly behind them.</summary>
    private static double? ReadText(string text, (string Name, double Factor)[] units)
    {
        int length = text.Length - text.AsSpan().TrimStart("0123456789.").Length;
        if (length == 0 || length == text.Length || text[0] == '.' || text[length - 1] == '.')
            return null;

        foreach ((string name, double factor) in units)
        {
            if (text.AsSpan(length).SequenceEqual(name) && TryParse(text.AsSpan(0, length), out double number))
                return number * factor;
        }

        return null;
    }

    private static bool TryParse(ReadOnlySpan<char> digits, out double number) =>
        double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
}

internal enum DurationUnit
{
    Milliseconds,
    Seconds,
}
