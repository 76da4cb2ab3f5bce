namespace Tunnel.Links.Host;

/// <summary>
/// Looks once a second after the interfaces of all links of the process, so that a link with nothing to receive sleeps. The kernel tells a
/// packet socket that its interface went down, but neither that the interface was renamed nor that another one has its name by now, and
/// libpcap keeps some of what it is told to itself. Thread-safe.
/// </summary>
internal static class InterfaceWatch
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly Lock Gate = new();
    private static readonly List<WatchedInterface> All = [];
    private static readonly Timer Clock = new(_ => LookAndGoOn());

    internal static void Add(WatchedInterface watched)
    {
        lock (Gate)
        {
            All.Add(watched);
            if (All.Count == 1)
                Clock.Change(Interval, Timeout.InfiniteTimeSpan);
        }
    }

    internal static void Remove(WatchedInterface watched)
    {
        lock (Gate)
            All.Remove(watched);
    }

    private static void LookAndGoOn()
    {
        WatchedInterface[] watched;
        lock (Gate)
            watched = [.. All];
        foreach (IGrouping<string, WatchedInterface> links in watched.GroupBy(w => w.Name))
        {
            int index = InterfaceProbe.IsUp(links.Key) ? InterfaceProbe.Index(links.Key) : 0;
            foreach (WatchedInterface link in links.Where(l => l.Index != index))
                link.Suspect();
        }

        lock (Gate)
        {
            if (All.Count != 0)
                Clock.Change(Interval, Timeout.InfiniteTimeSpan);
        }
    }
}
