using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Tunnel.Tests.Tidy;

public partial class LayoutTests
{
    /// <summary>Folders of configs that show how the tunnel is deployed, not a situation.</summary>
    private static readonly string[] Deployments = ["systemd", "kubernetes"];

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
        .Where(g => !Deployments.Contains(g.Key))
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
    [InlineData("cmd/tunnel-client/A.cs", "Tunnel.Cmd")]
    [InlineData("tests/Shared/A.cs", "Tunnel.Tests.Shared")]
    public void NamespaceByFolder(string file, string expected) => Assert.Equal(expected, NamespaceOf(file));

    private static string NamespaceOf(string file)
    {
        string[] folders = file.Split('/');
        return string.Join('.', [RootNamespaceOf($"{folders[0]}/{folders[1]}"), .. folders[2..^1]]);
    }

    /// <summary>What the project says, or its name. The tests' shared files belong to no project.</summary>
    private static string RootNamespaceOf(string folder)
    {
        if (folder == "tests/Shared")
            return "Tunnel.Tests.Shared";
        string name = Path.GetFileName(folder);
        XDocument project = XDocument.Parse(Sources.Read($"{folder}/{name}.csproj"));
        return project.Descendants("RootNamespace").FirstOrDefault()?.Value ?? name;
    }

    /// <summary>Null in files that declare nothing: a program's first statements.</summary>
    private static string? DeclaredIn(string file) =>
        Namespace().Match(CSharpText.CodeOnly(Sources.Read(file))) is { Success: true } match ? match.Groups["name"].Value : null;

    [GeneratedRegex(@"^\s*namespace\s+(?<name>[\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();
}
