using System.Text.RegularExpressions;

namespace Tunnel.Tests.Tidy;

public partial class LayoutTests
{
    [Fact]
    public void EveryProjectIsInTheSolution()
    {
        string solution = Sources.Read("Tunnel.sln").Replace('\\', '/');
        Sources.ExpectNone(Sources.Files
            .Where(f => f.EndsWith(".csproj", StringComparison.Ordinal) && !solution.Contains($"\"{f}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void EveryProjectHasItsPackagesLocked() => Sources.ExpectNone(Sources.Files
        .Where(f => f.EndsWith(".csproj", StringComparison.Ordinal))
        .Select(f => Path.GetDirectoryName(f) + "/packages.lock.json")
        .Except(Sources.Files));

    /// <summary>A situation is a pair of files that work together.</summary>
    [Fact]
    public void EverySituationIsAPair() => Sources.ExpectNone(Sources.Files
        .Where(f => f.StartsWith("configs/", StringComparison.Ordinal) && f.Count(c => c == '/') > 1)
        .GroupBy(f => f.Split('/')[1], f => string.Join('/', f.Split('/')[2..]))
        .Where(g => !g.Order(StringComparer.Ordinal).SequenceEqual(["client.toml", "server.toml"]))
        .Select(g => $"configs/{g.Key}: {string.Join(", ", g)}"));

    [Fact]
    public void NamespacesFollowFolders() => Sources.ExpectNone(Sources.CSharp("src", "cmd", "tests", "perf")
        .Select(file => (File: file, Declared: DeclaredIn(file), Expected: NamespaceOf(file)))
        .Where(f => f.Declared is not null && f.Declared != f.Expected)
        .Select(f => $"{f.File}: {f.Declared} instead of {f.Expected}"));

    [Theory]
    [InlineData("src/Tunnel.App/Config/Toml/A.cs", "Tunnel.App.Config.Toml")]
    [InlineData("src/Tunnel.Links/A.cs", "Tunnel.Links")]
    [InlineData("cmd/tunnelctl/A.cs", "Tunnel.Cmd")]
    [InlineData("tests/Shared/A.cs", "Tunnel.Tests.Shared")]
    public void NamespaceByFolder(string file, string expected) => Assert.Equal(expected, NamespaceOf(file));

    private static string NamespaceOf(string file)
    {
        string[] folders = file.Split('/')[1..^1];
        folders[0] = file switch
        {
            _ when file.StartsWith("cmd/", StringComparison.Ordinal) => "Tunnel.Cmd",
            _ when file.StartsWith("tests/Shared/", StringComparison.Ordinal) => "Tunnel.Tests.Shared",
            _ => folders[0],
        };
        return string.Join('.', folders);
    }

    /// <summary>Null in files that declare nothing: a program's first statements.</summary>
    private static string? DeclaredIn(string file) =>
        Namespace().Match(CSharpText.CodeOnly(Sources.Read(file))) is { Success: true } match ? match.Groups["name"].Value : null;

    [GeneratedRegex(@"^\s*namespace\s+(?<name>[\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();
}
