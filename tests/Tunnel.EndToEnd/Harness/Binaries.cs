namespace Tunnel.EndToEnd.Harness;

/// <summary>The binaries under test: published ones in the folder TUNNEL_BIN, or the newest build in the repository.</summary>
internal static class Binaries
{
    public static string Client => Find("tunnel-client");

    public static string Server => Find("tunnel-server");

    public static string Ctl => Find("tunnelctl");

    private static string Find(string name)
    {
        if (Environment.GetEnvironmentVariable("TUNNEL_BIN") is { Length: > 0 } folder)
            return Path.GetFullPath(Path.Combine(folder, name));
        string built = Repository.PathOf($"cmd/{name}/bin");
        string? newest = !Directory.Exists(built) ? null : Directory.EnumerateFiles(built, name, SearchOption.AllDirectories)
            .MaxBy(f => File.GetLastWriteTimeUtc(Path.ChangeExtension(f, "dll")));
        return newest ?? throw new InvalidOperationException($"{name} is neither built nor in the folder TUNNEL_BIN");
    }
}
