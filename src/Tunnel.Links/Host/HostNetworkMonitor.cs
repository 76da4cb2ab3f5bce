using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using Tunnel.Links.Host.Netlink;
using Tunnel.Links.Native;

namespace Tunnel.Links.Host;

/// <summary>
/// Listens to the kernel's announcements about interfaces, addresses, routes and neighbours, on a thread of its own, and raises
/// <see cref="Changed"/> once things have been quiet for a moment.
/// </summary>
public sealed class HostNetworkMonitor : IDisposable
{
    private const uint Groups = Rtnetlink.RTMGRP_LINK | Rtnetlink.RTMGRP_NEIGH | Rtnetlink.RTMGRP_IPV4_IFADDR
        | Rtnetlink.RTMGRP_IPV4_ROUTE | Rtnetlink.RTMGRP_IPV6_IFADDR | Rtnetlink.RTMGRP_IPV6_ROUTE;

    private const int QuietMilliseconds = 200;
    private const long LongestHoldMilliseconds = 1000;

    private readonly NetlinkSocket _socket = new(Groups);
    private readonly WakeEvent _wake = new();
    private readonly NetworkChanges _changes = new();
    private readonly Thread _thread;
    private volatile bool _stopping;

    public HostNetworkMonitor()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "host network" };
        _thread.Start();
    }

    /// <summary>
    /// Something changed that may change what <see cref="HostNetwork"/> finds. Raised on the monitor's thread, at most about once a
    /// second in a storm; a handler must not throw, nor dispose the monitor.
    /// </summary>
    public event Action? Changed;

    public void Dispose()
    {
        if (_stopping)
            return;
        _stopping = true;
        _wake.Set();
        _thread.Join();
        _socket.Dispose();
        _wake.Dispose();
    }

    private void Run()
    {
        long heldSince = -1;
        while (!_stopping)
        {
            int wait = heldSince < 0 ? Timeout.Infinite : QuietMilliseconds;
            (short events, _) = _wake.Wait(_socket.Descriptor, wait);
            if (_stopping)
                return;
            if (events != 0 && ReadAnnouncements() && heldSince < 0)
                heldSince = Environment.TickCount64;

            bool due = heldSince >= 0 && (events == 0 || Environment.TickCount64 - heldSince >= LongestHoldMilliseconds);
            if (due)
            {
                heldSince = -1;
                Changed?.Invoke();
            }
        }
    }

    private bool ReadAnnouncements()
    {
        int length = _socket.Receive(out _);

        // ENOBUFS: the kernel had more to say than the socket could hold. What was lost may have mattered.
        return length < 0 || _changes.Observe(_socket.Received(length));
    }
}

/// <summary>Tells announcements that matter from repetitions: neighbours are confirmed, and interfaces described, all the time.</summary>
internal sealed class NetworkChanges
{
    private const int RememberedNeighbours = 1024;

    private readonly Dictionary<int, LinkEntry> _links = [];
    private readonly Dictionary<(int Index, IPAddress Address), PhysicalAddress> _neighbours = [];

    /// <summary>True if any of the messages says something new.</summary>
    internal bool Observe(ReadOnlySpan<byte> bytes)
    {
        bool changed = false;
        var reader = new NetlinkReader(bytes);
        while (reader.MoveNext())
            changed |= IsNews(reader.Type, reader.Body);
        return changed;
    }

    private bool IsNews(ushort type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case Rtnetlink.RTM_NEWLINK:
                return IsNewLink(body);
            case Rtnetlink.RTM_NEWNEIGH:
                return IsNewNeighbour(body);
            case Rtnetlink.RTM_DELLINK:
                if (body.Length >= 8)
                    _links.Remove(BinaryPrimitives.ReadInt32LittleEndian(body[4..]));
                return true;
            case Rtnetlink.RTM_NEWADDR or Rtnetlink.RTM_DELADDR or Rtnetlink.RTM_NEWROUTE or Rtnetlink.RTM_DELROUTE:
                return true;
            default:
                // A neighbour that is forgotten changes nothing: its MAC is as right as it was.
                return false;
        }
    }

    private bool IsNewLink(ReadOnlySpan<byte> body)
    {
        if (NetlinkParsers.Link(body) is not { } link)
            return false;
        bool known = _links.TryGetValue(link.Index, out LinkEntry before) && before == link;
        _links[link.Index] = link;
        return !known;
    }

    private bool IsNewNeighbour(ReadOnlySpan<byte> body)
    {
        if (NetlinkParsers.Neighbour(body) is not { IsUsable: true, Mac: { } mac } neighbour)
            return false;
        (int, IPAddress) key = (neighbour.Index, neighbour.Address);
        if (_neighbours.TryGetValue(key, out PhysicalAddress? before) && before.Equals(mac))
            return false;
        if (_neighbours.Count >= RememberedNeighbours)
            _neighbours.Clear();
        _neighbours[key] = mac;
        return true;
    }
}
