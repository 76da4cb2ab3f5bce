using System.Diagnostics;

namespace Tunnel.Tests.Tidy;

/// <summary>The repository's files, and what is said about those that break a rule.</summary>
internal static class Sources
{
    private static readonly Lazy<string[]> AllFiles = new(List);

    /// <summary>What git tracks or would track, by paths from the root.</summary>
    public static IReadOnlyList<string> Files => AllFiles.Value;

    /// <summary>The C# files under some folders.</summary>
    public static IEnumerable<string> CSharp(params string[] folders) => Files.Where(
        f => f.EndsWith(".cs", StringComparison.Ordinal) && folders.Any(d => f.StartsWith(d + "/", StringComparison.Ordinal)));

    public static string Read(string file) => File.ReadAllText(Repository.PathOf(file));

    /// <summary>Fails with every offence, not only with the first few.</summary>
    public static void ExpectNone(IEnumerable<string> offences)
    {
        string[] all = [.. offences];
        if (all.Length != 0)
            Assert.Fail(string.Join('\n', all));
    }

    private static string[] List()
    {
        Requires.Tool("git");

        // Whoever checked the repository out, the tests may look at it.
        string[] arguments = ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        var start = new ProcessStartInfo("git", arguments) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true };
        using Process git = Process.Start(start)!;
        string output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
        string[] files = [.. output.Split('\0').Where(f => File.Exists(Repository.PathOf(f))).Distinct()];
        Assert.NotEmpty(files);
        return files;
    }
}
