using System.Globalization;

namespace Tunnel.Ctl.Emulate;

/// <summary>Times, parts, rates and sizes as people write them. Anything else is a FormatException that names the option.</summary>
internal static class ImpairmentText
{
    private static readonly (string Unit, double Factor)[] Times = [("ms", 1e6), ("us", 1e3), ("ns", 1), ("s", 1e9)];
    private static readonly (string Unit, double Factor)[] Rates = [("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9), ("bit", 1)];
    private static readonly (string Unit, double Factor)[] Sizes = [("KiB", 1 << 10), ("MiB", 1 << 20), ("B", 1)];

    /// <summary>"20ms": nanoseconds, up to a minute.</summary>
    public static long Time(string option, string text) => (long)Number(option, text, Times, 60e9, "a time such as 20ms or 1.5s, at most 60s");

    /// <summary>"100mbit": bits a second.</summary>
    public static long Rate(string option, string text) => (long)Number(option, text, Rates, 1e12, "a rate such as 100mbit or 1gbit");

    /// <summary>"256KiB", or the time that the queue takes to empty: bytes.</summary>
    public static int Queue(string option, string text, long bitsPerSecond)
    {
        bool isTime = text.EndsWith('s') && bitsPerSecond > 0;
        double bytes = isTime
            ? Time(option, text) / 1e9 * bitsPerSecond / 8
            : Number(option, text, Sizes, 1 << 30, "a size such as 256KiB or, with --rate, a time such as 50ms");
        return (int)Math.Min(bytes, 1 << 30);
    }

    /// <summary>"5%" or "0.05": a part of one.</summary>
    public static double Part(string option, string text)
    {
        bool percent = text.EndsWith('%');
        bool isNumber = double.TryParse(percent ? text[..^1] : text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value);
        double part = percent ? value / 100 : value;
        return isNumber && part is >= 0 and <= 1 ? part : throw Wrong(option, text, "a part such as 5% or 0.05");
    }

    private static double Number(string option, string text, (string Unit, double Factor)[] units, double most, string what)
    {
        foreach ((string unit, double factor) in units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(text[..^unit.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value))
            {
                return value * factor <= most ? value * factor : throw Wrong(option, text, what);
            }
        }

        throw Wrong(option, text, what);
    }

    private static FormatException Wrong(string option, string text, string what) => new($"{option} {text}: {what}");
}
