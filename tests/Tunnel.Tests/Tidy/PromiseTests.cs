using System.Text.RegularExpressions;

namespace Tunnel.Tests.Tidy;

/// <summary>Every test that the list of promises names is one that exists, and every promise names one or says that it is not kept.</summary>
public partial class PromiseTests
{
    private const string File = "tests/README.md";

    [Fact]
    public void EveryNamedTestExists()
    {
        HashSet<string> tests = [.. Sources.CSharp("tests").SelectMany(file => TestsIn(CSharpText.CodeOnly(Sources.Read(file))))];
        string[] named = [.. Rows().SelectMany(NamesIn)];
        Assert.True(named.Length > 40);
        Sources.ExpectNone(named.Where(name => !tests.Contains(name)).Select(name => $"{File} names {name}, which is not a test"));
    }

    [Fact]
    public void EveryPromiseIsKeptOrSaysThatItIsNot() => Sources.ExpectNone(Rows()
        .Where(row => !NamesIn(row).Any() && !row.Contains("not there", StringComparison.Ordinal))
        .Select(row => $"{File}: nothing shows: {row}"));

    [Theory]
    [InlineData("public class A { [Fact] public void B() { } }", new[] { "A.B" })]
    [InlineData("public sealed class A : C { [Theory(Timeout = Limit)] [InlineData(1)] public async Task B(int c) { } }", new[] { "A.B" })]
    [InlineData("public class A { public void B() { } }", new string[0])]
    public void TestsAreFound(string code, string[] names) => Assert.Equal(names, TestsIn(code));

    private static IEnumerable<string> Rows() =>
        Sources.Read(File).Split('\n').Where(l => l.StartsWith("| ", StringComparison.Ordinal)).Where(l => !l.EndsWith("| tests |", StringComparison.Ordinal));

    private static IEnumerable<string> NamesIn(string row) => Name().Matches(row).Select(m => m.Groups["name"].Value);

    /// <summary>A file has one class of tests, its first.</summary>
    private static IEnumerable<string> TestsIn(string code)
    {
        string type = Class().Match(code).Groups["name"].Value;
        return Test().Matches(code).Select(m => $"{type}.{m.Groups["name"].Value}");
    }

    [GeneratedRegex(@"`(?<name>\w+Tests\.\w+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"\bclass\s+(?<name>\w+)")]
    private static partial Regex Class();

    [GeneratedRegex(@"\[(Fact|Theory)\b[^\]]*\]\s*(\[[^\]]*\]\s*)*public\s+(async\s+)?(void|Task|ValueTask)\s+(?<name>\w+)\s*\(")]
    private static partial Regex Test();
}
