using System.Globalization;

namespace Tunnel.Ctl;

/// <summary>Several numbers in one option.</summary>
internal static class NumberList
{
    /// <returns>The numbers of a text such as 4,8,16; blanks stand for commas, too, as pidof prints them.</returns>
    /// <exception cref="FormatException">It is something else.</exception>
    public static int[] Of(string option, string text) =>
    [
        .. text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries).Select(word =>
            int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                ? number
                : throw new FormatException($"{option} \"{text}\": numbers with commas between")),
    ];
}
