using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Snapshots;

namespace Tunnel.Ctl.Bench;

/// <summary>What the host was like where the load was made: all that check looks at before and after, and its listening sockets meanwhile.</summary>
/// <param name="Before">Just before the load.</param>
/// <param name="After">Just after it.</param>
/// <param name="Listeners">Those on the target's or the proxy's port, and those in which connections waited.</param>
/// <param name="Overflows">TcpExtListenOverflows during the load; null: the kernel does not tell.</param>
/// <param name="Drops">TcpExtListenDrops during the load; null: the kernel does not tell.</param>
/// <param name="Problem">Why there are no listeners; null when they could be read.</param>
internal sealed record HostRecord(
    Snapshot Before, Snapshot After, IReadOnlyList<ListenerUse> Listeners, long? Overflows, long? Drops, string? Problem)
{
    /// <summary>Runs a bench and puts the record of its host into the result. Takes two seconds more, for the counters to be watched.</summary>
    /// <param name="request">What the snapshots look at.</param>
    /// <param name="bench">The load.</param>
    /// <param name="progress">Told what is being done.</param>
    public static async Task<BenchResult> AddToAsync(
        CheckRequest request, Func<Task<BenchResult>> bench, Action<string> progress, CancellationToken cancel)
    {
        Snapshot before = await Snapshot.TakeAsync(request, progress, cancel).ConfigureAwait(false);
        ListenWatch watch = new(request.Files, request.Calls);
        BenchResult result = await watch.WatchAsync(bench).ConfigureAwait(false);
        Snapshot after = await Snapshot.TakeAsync(request, progress, cancel).ConfigureAwait(false);
        return result with
        {
            HostRecord = new HostRecord(
                before, after, watch.Listeners(PortsOf(result.Load)), watch.Grown("TcpExt.ListenOverflows"), watch.Grown("TcpExt.ListenDrops"), watch.Problem),
        };
    }

    /// <summary>From the beginning of the first to the end of the second; what was counted is the sum, what waited the most of both.</summary>
    public static HostRecord Join(HostRecord first, HostRecord second)
    {
        IEnumerable<ListenerUse> listeners = first.Listeners.Concat(second.Listeners).GroupBy(l => l.Local)
            .Select(l => l.Last() with { MostWaiting = l.Max(u => u.MostWaiting) });
        return new HostRecord(
            first.Before, second.After, [.. listeners.OrderByDescending(l => l.MostWaiting)], first.Overflows + second.Overflows, first.Drops + second.Drops,
            first.Problem ?? second.Problem);
    }

    /// <summary>Where the load goes in: of the proxy, and of the target, which may be this host's too.</summary>
    private static int[] PortsOf(LoadFacts load) =>
        [.. new[] { load.Target, load.Through }.OfType<string>().Select(PortOf).OfType<int>()];

    private static int? PortOf(string address)
    {
        if (Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Port > 0)
            return uri.Port;
        return ushort.TryParse(address.AsSpan(address.LastIndexOf(':') + 1), out ushort port) ? port : null;
    }
}

/// <summary>A listening address, as ss -ltn shows it, at its fullest.</summary>
/// <param name="Local">Where it listens.</param>
/// <param name="Sockets">How many sockets share the address, each with a queue of its own (SO_REUSEPORT).</param>
/// <param name="Backlog">As many as may wait in each (Send-Q).</param>
/// <param name="MostWaiting">The most that waited in one when it was looked at (Recv-Q), twenty times a second.</param>
internal sealed record ListenerUse(string Local, int Sockets, long Backlog, long MostWaiting);
