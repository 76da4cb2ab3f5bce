using Tunnel.Links.Host.Netlink;
using Tunnel.Links.Native;

namespace Tunnel.Links.Host;

/// <summary>
/// Looks after the interfaces of all links of the process whenever the kernel announces that any has changed, so that a link with nothing to
/// receive sleeps, and so does this. The kernel tells a packet socket that its interface went down, but neither that the interface was
/// renamed nor that another one has its name by now, and libpcap keeps some of what it is told to itself. Thread-safe.
/// </summary>
/// <param name="isAnnounced">The kernel announces changes; else looks are taken once a second.</param>
/// <param name="indexOf">The index of the interface of a name; 0: there is none, or it is down.</param>
internal sealed class InterfaceWatch(bool isAnnounced, Func<string, int> indexOf)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly Lock Gate = new();
    private static Running? _running;

    private readonly Lock _lock = new();
    private readonly List<WatchedInterface> _all = [];

    /// <summary>Has an interface looked after, from now until <see cref="Forget"/>.</summary>
    /// <exception cref="LinkException">The process has no descriptor left.</exception>
    internal static void Follow(WatchedInterface watched)
    {
        lock (Gate)
        {
            _running ??= new Running();
            _running.Watch.Add(watched);
            // What changed since the interface's index was asked for has been announced already.
            _running.Wake.Set();
        }
    }

    internal static void Forget(WatchedInterface watched)
    {
        lock (Gate)
            _running?.Watch.Remove(watched);
    }

    internal void Add(WatchedInterface watched)
    {
        lock (_lock)
            _all.Add(watched);
    }

    internal void Remove(WatchedInterface watched)
    {
        lock (_lock)
            _all.Remove(watched);
    }

    /// <summary>Looks at all; for how long nothing more need be looked at, if nothing is announced.</summary>
    internal TimeSpan Look()
    {
        WatchedInterface[] watched;
        lock (_lock)
            watched = [.. _all];
        bool anySuspect = false;
        foreach (IGrouping<string, WatchedInterface> links in watched.GroupBy(w => w.Name))
        {
            int index = indexOf(links.Key);
            foreach (WatchedInterface link in links.Where(l => l.Index != index))
            {
                link.Suspect();
                anySuspect = true;
            }
        }

        // A link that is told may be busy just then.
        return anySuspect || (!isAnnounced && watched.Length != 0) ? Interval : Timeout.InfiniteTimeSpan;
    }

    /// <summary>The process's one, with its thread.</summary>
    private sealed class Running
    {
        private readonly NetlinkSocket? _announcements = TryListen();

        public Running()
        {
            Watch = new InterfaceWatch(_announcements is not null, name => InterfaceProbe.IsUp(name) ? InterfaceProbe.Index(name) : 0);
            new Thread(Run) { IsBackground = true, Name = "interfaces" }.Start();
        }

        public InterfaceWatch Watch { get; }

        public WakeEvent Wake { get; } = new();

        private static NetlinkSocket? TryListen()
        {
            try
            {
                return new NetlinkSocket(Rtnetlink.RTMGRP_LINK);
            }
            catch (LinkException)
            {
                return null;
            }
        }

        private void Run()
        {
            while (true)
            {
                TimeSpan pause = Watch.Look();
                Wake.Wait(_announcements?.Descriptor ?? -1, (int)pause.TotalMilliseconds);
                // Which one changed is quicker asked than read.
                _announcements?.ReadAnnounced(static (_, _) => { });
            }
        }
    }
}
