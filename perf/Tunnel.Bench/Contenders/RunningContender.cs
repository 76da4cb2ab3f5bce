using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Contenders;

/// <summary>A contender that carries bytes now.</summary>
/// <param name="target">Where an application in the client's namespace connects to.</param>
/// <param name="processes">Client first, then server; none without a tunnel.</param>
internal sealed class RunningContender(string target, params LabProcess[] processes) : IAsyncDisposable
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(0.5);

    public string Target { get; } = target;

    public IReadOnlyList<LabProcess> Processes { get; } = processes;

    /// <summary>
    /// All its processes: a server may leave the work to children. Not those that come and go, such as an iptables that one runs when a session begins.
    /// </summary>
    public async Task<IReadOnlyList<int>> ReadProcessIdsAsync(CancellationToken cancel)
    {
        int[] before = ReadProcessIds();
        await Task.Delay(Settling, cancel).ConfigureAwait(false);
        return [.. ReadProcessIds().Intersect(before)];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (LabProcess process in Processes)
            await process.DisposeAsync().ConfigureAwait(false);
    }

    private int[] ReadProcessIds() => [.. Processes.SelectMany(p => ProcessTree.Read(p.Id))];
}
