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
    private static readonly List<Watched> All = [];
    private static readonly Timer Clock = new(_ => LookAndGoOn());

    /// <summary>Begins to look after a link's interface; ends when what is returned is disposed.</summary>
    /// <param name="name">The interface's.</param>
    /// <param name="index">That the link was opened with.</param>
    /// <param name="alarm">Called, again and again, while the name has another index or none, or is down. Must not throw nor wait.</param>
    internal static IDisposable Add(string name, int index, Action alarm)
    {
        var watched = new Watched(name, index, alarm);
        lock (Gate)
        {
            All.Add(watched);
            if (All.Count == 1)
                Clock.Change(Interval, Timeout.InfiniteTimeSpan);
        }

        return watched;
    }

    private static void LookAndGoOn()
    {
        Watched[] watched;
        lock (Gate)
            watched = [.. All];
        foreach (IGrouping<string, Watched> links in watched.GroupBy(w => w.Name))
        {
            int index = InterfaceProbe.IsUp(links.Key) ? InterfaceProbe.Index(links.Key) : 0;
            foreach (Watched link in links.Where(l => l.Index != index))
                link.Alarm();
        }

        lock (Gate)
        {
            if (All.Count != 0)
                Clock.Change(Interval, Timeout.InfiniteTimeSpan);
        }
    }

    private sealed record Watched(string Name, int Index, Action Alarm) : IDisposable
    {
        public void Dispose()
        {
            lock (Gate)
                All.RemoveAll(w => ReferenceEquals(w, this));
        }
    }
}
