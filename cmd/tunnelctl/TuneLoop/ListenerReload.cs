using System.Diagnostics;
using Tunnel.Links.Host;

namespace Tunnel.Ctl.TuneLoop;

/// <summary>
/// Asks running processes to listen again (SIGHUP): the kernel cuts a backlog to net.core.somaxconn at listen() and never later. The tunnel's
/// two ends do so at each reload, without losing who waits.
/// </summary>
/// <param name="processes">Their ids.</param>
internal sealed class ListenerReload(IReadOnlyList<int> processes)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    /// <summary>Sends it, and waits until a listener of this host has another backlog; two seconds at most, as not each knob shows there.</summary>
    /// <exception cref="Lab.LabException">There is no such process, or no permission.</exception>
    public async Task ListenAgainAsync(CancellationToken cancel)
    {
        if (processes.Count == 0)
            return;
        string before = Backlogs();
        foreach (int process in processes)
            await Lab.LabProcess.RunAsync(null, cancel, "kill", "-HUP", $"{process}").ConfigureAwait(false);
        long start = Stopwatch.GetTimestamp();
        while (Backlogs() == before && Stopwatch.GetElapsedTime(start) < Patience)
            await Task.Delay(Step, cancel).ConfigureAwait(false);
    }

    private static string Backlogs() =>
        string.Join(' ', ListenQueues.Read().Queues.Select(q => $"{q.Local}={q.Backlog}").Order(StringComparer.Ordinal));
}
