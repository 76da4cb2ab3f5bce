using System.Net;
using Tunnel.Links.Host;
using Tunnel.Links.Host.Netlink;

namespace Tunnel.Tests.Links;

public sealed class NetlinkParsingTests
{
    // ip route get 198.18.0.1, answered with: via 10.0.0.254 dev (index 3) src 10.0.0.1.
    private static readonly byte[] RouteBody =
    [
        2, 32, 0, 0, 254, 0, 0, 1, 0, 2, 0, 0,
        8, 0, 1, 0, 198, 18, 0, 1,
        8, 0, 4, 0, 3, 0, 0, 0,
        8, 0, 7, 0, 10, 0, 0, 1,
        8, 0, 5, 0, 10, 0, 0, 254,
    ];

    private static readonly byte[] NeighbourBody =
    [
        10, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 1,
        20, 0, 1, 0, 0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
        10, 0, 2, 0, 2, 0, 0, 0, 0, 9, 0, 0,
    ];

    [Fact]
    public void Route()
    {
        RouteEntry route = Assert.NotNull(NetlinkParsers.Route(RouteBody));
        Assert.Equal(
            new RouteEntry(3, IPAddress.Parse("10.0.0.254"), IPAddress.Parse("10.0.0.1"), 32, Rtnetlink.RTN_UNICAST, 254, 0, 0), route);
    }

    [Fact]
    public void Link_local_neighbour_has_its_scope()
    {
        NeighbourEntry neighbour = Assert.NotNull(NetlinkParsers.Neighbour(NeighbourBody));
        Assert.Equal(IPAddress.Parse("fe80::1%3"), neighbour.Address);
        Assert.Equal(System.Net.NetworkInformation.PhysicalAddress.Parse("020000000009"), neighbour.Mac);
        Assert.True(neighbour.IsUsable);
    }

    [Fact]
    public void Several_next_hops_give_the_first()
    {
        byte[] body =
        [
            .. RouteBody.AsSpan(0, 12),
            36, 0, 9, 0,
            16, 0, 0, 0, 5, 0, 0, 0, 8, 0, 5, 0, 10, 0, 0, 7,
            16, 0, 0, 0, 6, 0, 0, 0, 8, 0, 5, 0, 10, 0, 0, 8,
        ];
        RouteEntry route = Assert.NotNull(NetlinkParsers.Route(body));
        Assert.Equal((5, IPAddress.Parse("10.0.0.7")), (route.Index, route.Gateway));
    }

    [Fact]
    public void Cut_and_damaged_bytes_are_survived()
    {
        var random = new Random(7);
        foreach (byte[] body in (byte[][])[RouteBody, NeighbourBody])
        {
            for (int length = 0; length <= body.Length; length++)
                ParseAll(body.AsSpan(0, length));
            for (int round = 0; round < 20_000; round++)
            {
                byte[] damaged = [.. body];
                for (int i = 0; i < 3; i++)
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                ParseAll(damaged.AsSpan(0, random.Next(damaged.Length + 1)));
            }
        }
    }

    [Fact]
    public void Messages_with_impossible_lengths_end_the_walk()
    {
        foreach (uint length in (uint[])[0, 15, 33, uint.MaxValue])
        {
            byte[] bytes = new byte[32];
            BitConverter.TryWriteBytes(bytes, length);
            var reader = new NetlinkReader(bytes);
            Assert.False(reader.MoveNext());
        }

        byte[] odd = new byte[17];
        odd[0] = 17;
        var last = new NetlinkReader(odd);
        Assert.True(last.MoveNext());
        Assert.False(last.MoveNext());
    }

    [Fact]
    public void A_change_of_rules_names_its_table()
    {
        const ushort newTable = 10 << 8, newGeneration = newTable | 15;
        byte[] body = [1, 0, 0, 7, 8, 0, 2, 0, 0, 0, 0, 0, 6, 0, 1, 0, (byte)'t', 0, 0, 0];
        Assert.Equal("t", NetlinkParsers.RulesetTable(newTable, body));
        Assert.Null(NetlinkParsers.RulesetTable(newTable, body.AsSpan(0, 12)));
        Assert.Null(NetlinkParsers.RulesetTable(newTable, []));
        Assert.Null(NetlinkParsers.RulesetTable(newGeneration, body));
        Assert.Null(NetlinkParsers.RulesetTable(Rtnetlink.RTM_NEWROUTE, body));
    }

    [Fact]
    public void Repeated_announcements_are_no_news()
    {
        var changes = new NetworkChanges();
        byte[] message = Message(Rtnetlink.RTM_NEWNEIGH, NeighbourBody);
        Assert.True(changes.Observe(message));
        Assert.False(changes.Observe(message));
        byte[] moved = [.. NeighbourBody];
        moved[^3] = 10;
        Assert.True(changes.Observe(Message(Rtnetlink.RTM_NEWNEIGH, moved)));
        Assert.True(changes.Observe(Message(Rtnetlink.RTM_NEWROUTE, RouteBody)));
        Assert.False(changes.Observe([1, 2, 3]));
    }

    private static void ParseAll(ReadOnlySpan<byte> body)
    {
        _ = NetlinkParsers.Link(body);
        _ = NetlinkParsers.Address(body);
        _ = NetlinkParsers.Route(body);
        _ = NetlinkParsers.Neighbour(body);
        _ = NetlinkParsers.RulesetTable(10 << 8, body);
        _ = new NetworkChanges().Observe(body);
    }

    private static byte[] Message(ushort type, byte[] body)
    {
        byte[] bytes = new byte[16 + body.Length];
        BitConverter.TryWriteBytes(bytes, bytes.Length);
        BitConverter.TryWriteBytes(bytes.AsSpan(4), type);
        body.CopyTo(bytes, 16);
        return bytes;
    }
}
