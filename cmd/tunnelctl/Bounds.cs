using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Tunnel.Ctl;

/// <summary>Which numbers an option takes. What is no number at all, the parser refuses by itself, but after these have looked.</summary>
internal static class Bounds
{
    public static void Within(this Option option, double least, double most) => option.Validators.Add(result =>
    {
        if (NumberOf(result) is { } value && !(value >= least && value <= most))
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is between {least} and {most}"));
    });

    public static void AtLeast(this Option option, double least) => option.Validators.Add(result =>
    {
        if (NumberOf(result) is { } value && !(value >= least))
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {least} or more"));
    });

    /// <returns>What was typed; null: nothing, or no number. The library's own conversion throws at the latter.</returns>
    public static double? NumberOf(OptionResult? result) =>
        result?.Tokens is [var token] && double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;
}
