using System.Text;
using System.Text.RegularExpressions;

namespace Tunnel.Tests.Tidy;

public partial class MarkdownLinkTests
{
    [Fact]
    public void RelativeLinksResolve() => Sources.ExpectNone(Sources.Files
        .Where(f => f.EndsWith(".md", StringComparison.Ordinal))
        .SelectMany(f => LinksIn(Sources.Read(f)).Where(l => !Resolves(f, l)).Select(l => $"{f}: {l}")));

    [Theory]
    [InlineData("see [a](b.md) and ![c](d/e.png \"title\")", new[] { "b.md", "d/e.png" })]
    [InlineData("[a]: b.md#c", new[] { "b.md#c" })]
    [InlineData("`[a](b)`\n```\n[c](d)\n```\n[e](f)", new[] { "f" })]
    [InlineData("[a](https://example.com/) [b](mailto:c@example.com)", new string[0])]
    public void LinksAreFound(string text, string[] links) => Assert.Equal(links, LinksIn(text));

    [Theory]
    [InlineData("## What is it, really?", "what-is-it-really")]
    [InlineData("# `dev` and .ci/run", "dev-and-cirun")]
    public void HeadingsAreAnchors(string heading, string anchor) => Assert.Contains(anchor, AnchorsIn(heading));

    private static IEnumerable<string> LinksIn(string text)
    {
        string prose = InlineCode().Replace(Fence().Replace(text, ""), "");
        return Link().Matches(prose).Select(m => m.Groups["to"].Value).Where(to => !Scheme().IsMatch(to));
    }

    private static bool Resolves(string file, string link)
    {
        string[] parts = link.Split('#', 2);
        string path = Repository.PathOf(file);
        if (parts[0].Length != 0)
            path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, Uri.UnescapeDataString(parts[0])));
        if (parts.Length == 1 || !path.EndsWith(".md", StringComparison.Ordinal))
            return Path.Exists(path);
        return File.Exists(path) && AnchorsIn(File.ReadAllText(path)).Contains(parts[1]);
    }

    private static IEnumerable<string> AnchorsIn(string text) =>
        Heading().Matches(Fence().Replace(text, "")).Select(m => Anchor(m.Groups["text"].Value.Trim()));

    /// <summary>As the well-known renderers make them: lower case, blanks to hyphens, punctuation away.</summary>
    private static string Anchor(string heading)
    {
        var anchor = new StringBuilder();
        foreach (char c in heading.ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_'))
            anchor.Append(c == ' ' ? '-' : c);
        return anchor.ToString();
    }

    [GeneratedRegex(@"^(`{3,}|~{3,}).*?^\1", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex("`[^`\n]+`")]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"\]\(\s*<?(?<to>[^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(?<to>\S+)", RegexOptions.Multiline)]
    private static partial Regex Link();

    [GeneratedRegex(@"^[a-z][a-z0-9+.-]*:", RegexOptions.IgnoreCase)]
    private static partial Regex Scheme();

    [GeneratedRegex("^#{1,6} +(?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
