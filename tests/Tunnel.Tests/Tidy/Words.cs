using System.Text.RegularExpressions;

namespace Tunnel.Tests.Tidy;

/// <summary>The identifiers and keywords in a text.</summary>
internal static partial class Words
{
    public static HashSet<string> Of(string code) => [.. Word().Matches(code).Select(m => m.Value)];

    [GeneratedRegex(@"\b[A-Za-z_]\w*")]
    private static partial Regex Word();
}
