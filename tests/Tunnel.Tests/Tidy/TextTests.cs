using System.Globalization;
using System.Text.RegularExpressions;

namespace Tunnel.Tests.Tidy;

public class TextTests
{
    private const int MostLines = 1000;

    private static readonly string[] SourceExtensions =
        [".cs", ".csproj", ".props", ".targets", ".slnf", ".toml", ".md", ".sh", ".txt", ".yml", ".service", ".js", ".css", ".html"];

    private static readonly string[] SourceNames = ["dev", "run", "Dockerfile", ".dockerignore", ".editorconfig", ".gitignore"];

    private static IEnumerable<string> SourceFiles => Sources.Files
        .Where(f => SourceExtensions.Contains(Path.GetExtension(f)) || SourceNames.Contains(Path.GetFileName(f)));

    [Fact]
    public void FilesAreShort() => Sources.ExpectNone(SourceFiles
        .Select(f => (File: f, Lines: Sources.Read(f).Count(c => c == '\n')))
        .Where(f => f.Lines > MostLines)
        .Select(f => $"{f.File}: {f.Lines} lines, more than {MostLines}"));

    /// <summary>What .editorconfig has editors show, since nothing that builds looks at it.</summary>
    [Fact]
    public void LinesOfCSharpAreNoLongerThanEditorsAreTold()
    {
        int most = int.Parse(Regex.Match(Sources.Read(".editorconfig"), @"\[\*\.cs\]\nmax_line_length = (\d+)\n").Groups[1].Value, CultureInfo.InvariantCulture);
        Sources.ExpectNone(Lines(f => f.EndsWith(".cs", StringComparison.Ordinal))
            .Where(l => l.Text.Length > most)
            .Select(l => $"{l.Place}: {l.Text.Length} characters, more than {most}"));
    }

    /// <summary>Of the rules of style the only one that the build does not see to.</summary>
    [Fact]
    public void MembersAreNamedWithoutThis() => Sources.ExpectNone(Lines(f => f.EndsWith(".cs", StringComparison.Ordinal))
        .Where(l => Regex.IsMatch(l.Text, @"\bthis\.\w"))
        .Select(l => $"{l.Place}: {l.Text.Trim()}"));

    [Fact]
    public void SourcesHaveNoTabs() =>
        Sources.ExpectNone(Lines(_ => true).Where(l => l.Text.Contains('\t')).Select(l => $"{l.Place}: a tab"));

    /// <summary>In Markdown two blanks at the end of a line mean something.</summary>
    [Fact]
    public void LinesEndWithWhatCanBeSeen() => Sources.ExpectNone(Lines(f => !f.EndsWith(".md", StringComparison.Ordinal))
        .Where(l => l.Text.EndsWith(' '))
        .Select(l => $"{l.Place}: a blank at the end"));

    [Fact]
    public void LinesEndAsOnUnix() => Sources.ExpectNone(SourceFiles.Where(f => Sources.Read(f).Contains('\r')));

    [Fact]
    public void FilesEndWithALine() =>
        Sources.ExpectNone(SourceFiles.Where(f => Sources.Read(f) is { Length: > 0 } text && text[^1] != '\n'));

    /// <summary>What is left to do stands where work is planned, not in the code. (In pieces here, so as not to find itself.)</summary>
    [Fact]
    public void NothingIsLeftForLater()
    {
        var marks = new Regex(@"\b(TO" + "DO|FIX" + "ME|HA" + @"CK)\b");
        Sources.ExpectNone(Lines(_ => true).Where(l => marks.IsMatch(l.Text)).Select(l => $"{l.Place}: {l.Text.Trim()}"));
    }

    /// <summary>Where packages come from is the business of the machine that builds, not of the repository.</summary>
    [Fact]
    public void NoPackageSourceIsNamed()
    {
        string[][] hosts =
        [
            ["nuget", "org"], ["pkgs", "dev", "azure"], ["deb", "debian", "org"], ["security", "debian", "org"], ["archive", "ubuntu"],
            ["ports", "ubuntu"], ["npmjs", "org"], ["npmjs", "com"], ["pypi", "org"], ["crates", "io"], ["proxy", "golang", "org"],
        ];
        string[] names = [.. hosts.Select(parts => string.Join('.', parts))];
        Sources.ExpectNone(Sources.Files.Where(f => !IsBinary(f)).SelectMany(
            f => names.Where(n => Sources.Read(f).Contains(n, StringComparison.OrdinalIgnoreCase)).Select(n => $"{f}: {n}")));
    }

    [Fact]
    public void OnlyRecordingsAreBinary() => Sources.ExpectNone(Sources.Files
        .Where(f => !(f.StartsWith("tests/", StringComparison.Ordinal) && f.Contains("/captures/", StringComparison.Ordinal)))
        .Where(IsBinary));

    private static bool IsBinary(string file) => File.ReadAllBytes(Repository.PathOf(file)).Contains((byte)0);

    private static IEnumerable<(string Place, string Text)> Lines(Func<string, bool> which) => SourceFiles.Where(which)
        .SelectMany(file => Sources.Read(file).Split('\n').Select((text, i) => ($"{file}:{i + 1}", text)));
}
