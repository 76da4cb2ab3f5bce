using System.Text.Json.Serialization;
using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Contenders;

/// <summary>A way for an application in the client's namespace to reach a port in the server's: ours by each link, peers, or none.</summary>
/// <param name="name">In tables and files.</param>
internal abstract class Contender(string name)
{
    public string Name { get; } = name;

    /// <summary>What it is to the comparison.</summary>
    public abstract ContenderKind Kind { get; }

    /// <summary>Why it cannot run here; null: it can.</summary>
    public virtual string? Lacks => null;

    /// <summary>Starts both ends and waits until bytes get through.</summary>
    /// <param name="network">The two namespaces.</param>
    /// <param name="port">The target's, on the server's loopback.</param>
    /// <param name="folder">For files; removed after.</param>
    /// <param name="cancel">Gives up.</param>
    public abstract Task<RunningContender> StartAsync(LabNetwork network, int port, string folder, CancellationToken cancel);

    /// <summary>A program of the path, or null.</summary>
    protected static string? Missing(params string[] programs)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        string[] missing = [.. programs.Where(p => !folders.Append("/usr/sbin").Any(f => File.Exists(Path.Combine(f, p))))];
        return missing.Length == 0 ? null : $"not installed: {string.Join(", ", missing)}";
    }
}

/// <summary>What ratios are made of.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContenderKind>))]
internal enum ContenderKind
{
    /// <summary>This project's.</summary>
    Ours,

    /// <summary>Another that does this job: packets of its own over networks that lose them.</summary>
    Peer,

    /// <summary>Something else that a user might pick, over the kernel's TCP.</summary>
    Other,

    /// <summary>No tunnel at all.</summary>
    None,
}

/// <summary>A contender that carries bytes now.</summary>
/// <param name="target">Where an application in the client's namespace connects to.</param>
/// <param name="processes">Client first, then server; none without a tunnel.</param>
internal sealed class RunningContender(string target, params LabProcess[] processes) : IAsyncDisposable
{
    public string Target { get; } = target;

    public IReadOnlyList<LabProcess> Processes { get; } = processes;

    public async ValueTask DisposeAsync()
    {
        foreach (LabProcess process in Processes)
            await process.DisposeAsync().ConfigureAwait(false);
    }
}
