namespace Tunnel.Tests.Simulation;

/// <summary>A text file of figures beside this one, under version control. TUNNEL_REWRITE_TABLES=1 writes it anew.</summary>
internal static class HeldTable
{
    private const string Rewrite = "TUNNEL_REWRITE_TABLES";

    public static void Check(string fileName, string table)
    {
        string path = Path.Combine(SourceFolder(), fileName);
        if (Environment.GetEnvironmentVariable(Rewrite) == "1")
            File.WriteAllText(path, table);
        string expected = File.Exists(path) ? File.ReadAllText(path) : "";
        Assert.True(table == expected, $"{fileName} differs; {Rewrite}=1 writes it anew. Now:\n{table}");
    }

    /// <summary>The folder of this file, found from where the tests run: a build server's paths are not the sources'.</summary>
    private static string SourceFolder()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Tunnel.sln")))
            folder = folder.Parent;
        Assert.NotNull(folder);
        return Path.Combine(folder.FullName, "tests", "Tunnel.Tests", "Simulation");
    }
}
