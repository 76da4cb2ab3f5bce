using Tunnel.Links.Host.Netlink;

namespace Tunnel.Links.Host;

/// <summary>
/// The kernel's announcements of changes to its nftables rules, whoever makes them (iptables too, where it is a front of nftables): of which
/// table each is. Reading them costs next to nothing, while listing a hundred tables keeps a core busy for a fifth of a second.
/// <see cref="Take"/> has one caller at a time.
/// </summary>
public sealed class RulesetChanges : IDisposable
{
    private const int NetlinkNetfilter = 12;

    /// <summary>NFNLGRP_NFTABLES, the seventh group.</summary>
    private const uint Tables = 1 << 6;

    private readonly NetlinkSocket _socket;

    private RulesetChanges(NetlinkSocket socket) => _socket = socket;

    /// <summary>Begins to listen; null where the kernel does not let this process.</summary>
    public static RulesetChanges? TryListen()
    {
        try
        {
            return new RulesetChanges(new NetlinkSocket(Tables, NetlinkNetfilter));
        }
        catch (LinkException)
        {
            return null;
        }
    }

    /// <summary>Waits until something has changed, which <see cref="Take"/> then tells, or the time is over. Any thread.</summary>
    public bool Wait(TimeSpan time) => _socket.WaitReadable((int)time.TotalMilliseconds);

    /// <summary>What has changed since this was asked before.</summary>
    public ChangedTables Take()
    {
        HashSet<string> names = [];
        bool all = _socket.ReadAnnounced((type, body) =>
        {
            if (NetlinkParsers.RulesetTable(type, body) is { } name)
                names.Add(name);
        });
        return new ChangedTables(names, IsComplete: all);
    }

    public void Dispose() => _socket.Dispose();
}

/// <summary>Tables of nftables that somebody has changed, made or removed.</summary>
/// <param name="Names">Without their families.</param>
/// <param name="IsComplete">False: any other may have changed as well.</param>
public readonly record struct ChangedTables(IReadOnlySet<string> Names, bool IsComplete);
