using System.Net;
using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Proc;
using Tunnel.Links.Host;

namespace Tunnel.Ctl.Bench;

/// <summary>Looks at this host's listening sockets again and again while something runs.</summary>
internal sealed class ListenWatch(KernelFiles files, IHostCalls calls)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    private readonly Dictionary<IPEndPoint, ListenerUse> _seen = [];
    private IReadOnlyDictionary<string, long> _from = new Dictionary<string, long>();
    private IReadOnlyDictionary<string, long> _to = new Dictionary<string, long>();

    /// <summary>Why the kernel does not tell; null when it does.</summary>
    public string? Problem { get; private set; }

    public async Task<T> WatchAsync<T>(Func<Task<T>> run)
    {
        _from = ReadCounters();
        using var stop = new CancellationTokenSource();
        Task looking = LookAsync(stop.Token);
        try
        {
            return await run().ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await looking.ConfigureAwait(false);
            _to = ReadCounters();
        }
    }

    /// <summary>Those on one of the ports, and those in which something waited; the fullest first.</summary>
    public IReadOnlyList<ListenerUse> Listeners(IReadOnlyCollection<int> ports) =>
    [
        .. _seen.Where(s => ports.Contains(s.Key.Port) || s.Value.MostWaiting > 0).Select(s => s.Value)
            .OrderByDescending(u => u.MostWaiting).ThenBy(u => u.Local, StringComparer.Ordinal),
    ];

    /// <summary>By how much a counter of /proc/net/netstat grew; null when there is no such counter.</summary>
    public long? Grown(string name) =>
        _from.TryGetValue(name, out long from) && _to.TryGetValue(name, out long to) ? to - from : null;

    private async Task LookAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            (IReadOnlyList<ListenQueue> queues, string? problem) = calls.ReadListenQueues();
            if ((Problem = problem) is not null)
                return;
            foreach (IGrouping<IPEndPoint, ListenQueue> address in queues.GroupBy(q => q.Local))
                Count(address.Key, [.. address]);
            await Task.Delay(Period, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>As it was at its fullest; of moments that were alike the last.</summary>
    private void Count(IPEndPoint local, ListenQueue[] queues)
    {
        long waiting = queues.Max(q => q.Waiting);
        if (_seen.GetValueOrDefault(local)?.MostWaiting > waiting)
            return;
        _seen[local] = new ListenerUse(local.ToString(), queues.Length, queues.Min(q => q.Backlog), waiting);
    }

    private IReadOnlyDictionary<string, long> ReadCounters() => NamedCounters.Parse(files.Read("/proc/net/netstat").Text ?? "");
}
