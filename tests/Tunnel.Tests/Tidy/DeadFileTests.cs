using System.Text.RegularExpressions;

namespace Tunnel.Tests.Tidy;

/// <summary>A source file that nothing but its tests knows is not part of the program.</summary>
public partial class DeadFileTests
{
    /// <summary>Whom only tests use, and why that is right. A file that the program uses does not belong here.</summary>
    private static readonly string[] Exceptions =
    [
        // Simulation: the one draws all that is random from a seed, the other carries frames with faults.
        "src/Tunnel.Protocol/Primitives/Prng.cs",

        // Complete in themselves; what calls them is a verb of its own.
        "src/Tunnel.App/Config/ReferenceFile.cs",
    ];

    [Fact]
    public void EveryFileIsUsedByAnother()
    {
        string[] unused = Unused();
        Sources.ExpectNone(unused.Except(Exceptions).Select(f => $"{f}: nothing outside of it (and of the tests) uses it"));
        Sources.ExpectNone(Exceptions.Except(unused).Select(f => $"{f}: is used, and is no exception any more: take it off the list"));
    }

    [Theory]
    [InlineData("public sealed class Alpha<T> { }", new[] { "Alpha" })]
    [InlineData("readonly record struct Alpha(int B); enum Beta { }", new[] { "Alpha", "Beta" })]
    [InlineData("public delegate void Alpha(in int b);", new[] { "Alpha" })]
    [InlineData("public ref partial struct Alpha; record Beta;", new[] { "Alpha", "Beta" })]
    [InlineData("static class Alpha { public static int Twice(this int b) => 2 * b; }", new[] { "Alpha", "Twice" })]
    public void NamesThatAFileOffers(string code, string[] names) => Assert.Equal(names, NamesIn(code).Order());

    private static string[] Unused()
    {
        SourceFile[] files = [.. Sources.CSharp("src", "cmd").Select(SourceFile.Load)];
        return [.. files.Where(f => !IsUsed(f, files)).Select(f => f.Path)];
    }

    private static bool IsUsed(SourceFile file, SourceFile[] files) =>
        file.IsEntryPoint || file.Names.Count == 0
        || files.Any(other => file.Names.Any(name => other.Words.Contains(name) && !other.Names.Contains(name)));

    private static IEnumerable<string> NamesIn(string code) =>
        new[] { TypeName(), DelegateName(), ExtensionName() }.SelectMany(r => r.Matches(code)).Select(m => m.Groups["name"].Value);

    [GeneratedRegex(@"\b(class|struct|interface|enum|record(\s+class|\s+struct)?)\s+(?!class\b|struct\b)(?<name>[A-Z]\w*)")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"\bdelegate\s+[^;=(]*?(?<name>[A-Z]\w*)\s*(<[^(]*>)?\s*\(")]
    private static partial Regex DelegateName();

    [GeneratedRegex(@"\bstatic\s+[^;=(){}]*?(?<name>[A-Z]\w*)\s*(<[^(]*>)?\s*\(\s*this\s")]
    private static partial Regex ExtensionName();

    [GeneratedRegex(@"\bstatic\s+(async\s+)?[\w<>]+\s+Main\s*\(")]
    private static partial Regex MainMethod();

    private sealed record SourceFile(string Path, HashSet<string> Names, HashSet<string> Words, bool IsEntryPoint)
    {
        public static SourceFile Load(string path)
        {
            string code = CSharpText.CodeOnly(Sources.Read(path));
            bool isEntryPoint = path.EndsWith("/Program.cs", StringComparison.Ordinal) || MainMethod().IsMatch(code);
            return new SourceFile(path, [.. NamesIn(code)], Tidy.Words.Of(code), isEntryPoint);
        }
    }
}
