using System.Text.Json;
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

    /// <summary>The loads that say something of it, which a whole run keeps to; null: all. Whoever asks for it by name has any.</summary>
    public IReadOnlyList<string>? Says { get; init; }

    /// <summary>Whether it can be told how many sessions to keep.</summary>
    public virtual bool CountsSessions => false;

    /// <summary>Whether it can be watched: both ends show themselves over HTTP.</summary>
    public virtual bool ShowsItself => false;

    /// <summary>Starts both ends and waits until bytes get through.</summary>
    /// <exception cref="LabException">It does not start, or says nothing.</exception>
    public abstract Task<RunningContender> StartAsync(ContenderSetup setup, CancellationToken cancel);

    /// <summary>Which of these programs are not there, as a sentence; null: none.</summary>
    public static string? Missing(params string[] programs)
    {
        string[] missing = [.. programs.Where(p => Locate(p) is null)];
        return missing.Length == 0 ? null : $"not installed: {string.Join(", ", missing)}";
    }

    /// <summary>Where a program lies; null: nowhere.</summary>
    protected static string? Locate(string program)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        return folders.Append("/usr/sbin").Select(f => Path.Combine(f, program)).FirstOrDefault(File.Exists);
    }

    /// <summary>Waits until each process has said something; ends them all when one does not.</summary>
    /// <param name="running">What was started.</param>
    /// <param name="lines">The process and its words.</param>
    /// <param name="cancel">Gives up.</param>
    protected static async Task<RunningContender> WhenReadyAsync(
        RunningContender running, IReadOnlyList<(LabProcess Process, string Words)> lines, CancellationToken cancel)
    {
        try
        {
            foreach ((LabProcess process, string words) in lines)
                await process.WaitForAsync(words, TimeSpan.FromSeconds(15), cancel).ConfigureAwait(false);
            return running;
        }
        catch
        {
            await running.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}

/// <summary>What a contender is to do.</summary>
/// <param name="Network">The two namespaces.</param>
/// <param name="Port">The target's, on the server's loopback.</param>
/// <param name="Sessions">How many; null: as many as it would.</param>
/// <param name="Folder">For files; removed after.</param>
internal sealed record ContenderSetup(LabNetwork Network, int Port, int? Sessions, string Folder);

/// <summary>What ratios are made of.</summary>
[JsonConverter(typeof(ContenderKindConverter))]
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

/// <summary>In lower case, as all JSON here is.</summary>
internal sealed class ContenderKindConverter() : JsonStringEnumConverter<ContenderKind>(JsonNamingPolicy.SnakeCaseLower);
