using System.Diagnostics;

namespace Tunnel.EndToEnd.Harness;

/// <summary>
/// Before the first test: removes what runs left that were killed. Everything a run makes has its process id in its name, or, if it is
/// a process, in its environment.
/// </summary>
public sealed class Leftovers : IAsyncLifetime
{
    internal const string Prefix = "te-";

    /// <summary>The variable that tells a run's processes from all others.</summary>
    internal const string RunVariable = "TUNNEL_TEST_RUN";

    public async ValueTask InitializeAsync()
    {
        foreach (Process process in Process.GetProcesses())
            RemoveStale(process);
        foreach (string folder in Directory.EnumerateDirectories(Path.GetTempPath(), Prefix + "*").Where(f => IsStale(Path.GetFileName(f))))
            Directory.Delete(folder, recursive: true);
        if (!Environment.IsPrivilegedProcess || !Directory.Exists("/run/netns"))
            return;
        foreach (string file in Directory.EnumerateFiles("/run/netns", Prefix + "*"))
        {
            if (IsStale(Path.GetFileName(file)))
                await Namespaces.RemoveAsync(Path.GetFileName(file));
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static void RemoveStale(Process process)
    {
        using (process)
        {
            if (OwnerOf(process.Id) is not { } owner || IsRunning(owner))
                return;
            process.Kill();
            process.WaitForExit();
        }
    }

    private static int? OwnerOf(int process)
    {
        try
        {
            string? value = File.ReadAllText($"/proc/{process}/environ").Split('\0')
                .FirstOrDefault(v => v.StartsWith(RunVariable + "=", StringComparison.Ordinal));
            return value is null ? null : int.Parse(value.AsSpan(RunVariable.Length + 1));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsStale(string name) => int.TryParse(name.Split('-')[1], out int owner) && !IsRunning(owner);

    private static bool IsRunning(int run)
    {
        string commandLine = $"/proc/{run}/cmdline";
        return File.Exists(commandLine) && File.ReadAllText(commandLine).Contains("Tunnel.EndToEnd", StringComparison.Ordinal);
    }
}
