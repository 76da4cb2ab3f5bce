using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Links.Host.Netlink;

namespace Tunnel.Tests.Links;

public sealed class HostNetworkTests
{
    [Fact]
    public void Loopback_is_listed_and_routes_to_itself()
    {
        InterfaceInfo lo = Assert.Single(HostNetwork.Interfaces(), i => i.IsLoopback);
        Assert.Contains(IPAddress.Loopback, lo.Addresses);
        HostRoute route = HostNetwork.Resolve(new HostQuery { Remote = IPAddress.Parse("127.0.0.9") });
        Assert.Equal((lo.Name, lo.Index, true), (route.Interface, route.Index, route.IsLoopback));
        Assert.Equal(EthernetAddress.Zero, route.NextHopMac);
        Assert.Equal(EthernetAddress.Zero, route.InterfaceMac);
        Assert.Equal(IPAddress.Parse("127.0.0.9"), HostNetwork.ResolveNextHop(route, IPAddress.Parse("127.0.0.9")).Address);
    }

    [Fact]
    public void Server_on_loopback_by_name_or_address()
    {
        Assert.True(HostNetwork.Resolve(new HostQuery { Interface = "lo" }).IsLoopback);
        Assert.True(HostNetwork.Resolve(new HostQuery { LocalAddress = IPAddress.Loopback }).IsLoopback);
    }

    [Fact]
    public void Missing_interface_and_foreign_address_are_said()
    {
        var e = Assert.Throws<LinkException>(() => HostNetwork.Resolve(new HostQuery { Interface = "tl-none" }));
        Assert.Contains("tl-none", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<LinkException>(() => HostNetwork.Resolve(new HostQuery { LocalAddress = IPAddress.Parse("203.0.113.77") }));
        Assert.Equal(LinkFault.Network, e.Fault);
    }

    [Theory]
    [InlineData(AddressFamily.InterNetwork, "10.77.1.1", "10.77.1.2", "10.77.1.254", "198.18.0.1", 24)]
    [InlineData(AddressFamily.InterNetworkV6, "fd77:1::1", "fd77:1::2", "fd77:1::254", "fd88::1", 64)]
    public void Route_by_gateway_and_on_the_link(AddressFamily family, string local, string peer, string gateway, string far, int prefix)
    {
        TestHost.RequireRoot();
        Assert.SkipUnless(family == AddressFamily.InterNetwork || Socket.OSSupportsIPv6, "this host has no IPv6");
        using TestHost.VethPair veth = TestHost.NewVeth();
        string noDad = family == AddressFamily.InterNetworkV6 ? " nodad" : string.Empty;
        TestHost.Run($"ip addr add {local}/{prefix} dev {veth.Left}{noDad}");
        TestHost.Run($"ip neigh replace {gateway} lladdr 02:00:00:00:00:fe dev {veth.Left}");
        TestHost.Run($"ip route add {far} via {gateway} dev {veth.Left} mtu lock 1280");

        HostRoute route = HostNetwork.Resolve(new HostQuery { Remote = IPAddress.Parse(far) });
        Assert.Equal(veth.Left, route.Interface);
        Assert.Equal(IPAddress.Parse(local), route.LocalAddress);
        Assert.Equal(IPAddress.Parse(gateway), route.NextHop);
        Assert.Equal(PhysicalAddress.Parse("02:00:00:00:00:fe"), route.NextHopMac);
        Assert.Equal(1280, route.Mtu);
        Assert.NotEqual(EthernetAddress.Zero, route.InterfaceMac);

        // Nobody answers for the peer: without the MAC an error, with a configured one none.
        var query = new HostQuery { Remote = IPAddress.Parse(peer), NeighbourWaitMilliseconds = 50 };
        var e = Assert.Throws<LinkException>(() => HostNetwork.Resolve(query));
        Assert.Contains(peer, e.Message, StringComparison.Ordinal);
        var configured = PhysicalAddress.Parse("02:00:00:00:00:33");
        Assert.Equal(configured, HostNetwork.Resolve(query with { RouterMac = configured }).NextHopMac);

        HostRoute server = HostNetwork.Resolve(new HostQuery { LocalAddress = IPAddress.Parse(local) });
        Assert.Equal((veth.Left, null), (server.Interface, server.NextHop));
        Assert.Equal(IPAddress.Parse(gateway), HostNetwork.ResolveNextHop(server, IPAddress.Parse(far)).Address);
        Assert.Null(HostNetwork.ResolveNextHop(server, IPAddress.Parse(peer)).Mac);
    }

    [Fact]
    public void Neighbour_that_is_not_known_yet_is_asked_for()
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        string space = veth.Left + "n";
        TestHost.Run($"ip netns add {space}");
        try
        {
            TestHost.Run($"ip link set {veth.Right} netns {space}");
            TestHost.Run($"ip -n {space} link set {veth.Right} up");
            TestHost.Run($"ip -n {space} addr add 10.77.2.2/24 dev {veth.Right}");
            TestHost.Run($"ip addr add 10.77.2.1/24 dev {veth.Left}");
            HostRoute route = HostNetwork.Resolve(new HostQuery { Remote = IPAddress.Parse("10.77.2.2") });
            Assert.NotNull(route.NextHopMac);
            string mac = string.Join(':', route.NextHopMac.GetAddressBytes().Select(b => b.ToString("x2", null)));
            Assert.Contains(mac, TestHost.Run($"ip -n {space} link show {veth.Right}"), StringComparison.Ordinal);
        }
        finally
        {
            TestHost.Run($"ip netns del {space}");
        }
    }

    [Fact]
    public void Monitor_tells_of_changes_once_they_settle()
    {
        TestHost.RequireRoot();
        using var monitor = new HostNetworkMonitor();
        using var changed = new ManualResetEventSlim();
        monitor.Changed += changed.Set;
        using TestHost.VethPair veth = TestHost.NewVeth();
        Assert.True(changed.Wait(10_000));
        changed.Reset();
        TestHost.Run($"ip addr add 10.77.3.1/24 dev {veth.Left}");
        Assert.True(changed.Wait(10_000));
    }

    [Fact]
    public void Default_route_is_the_one_of_the_main_table_with_the_lowest_metric()
    {
        RouteEntry[] routes =
        [
            new(1, null, null, 24, Rtnetlink.RTN_UNICAST, 254, 0, 0),
            new(2, null, null, 0, Rtnetlink.RTN_UNICAST, 100, 0, 0),
            new(3, null, null, 0, Rtnetlink.RTN_UNICAST, 254, 600, 0),
            new(4, null, null, 0, Rtnetlink.RTN_UNICAST, 254, 100, 0),
            new(5, null, null, 0, 7, 254, 1, 0),
        ];
        Assert.Equal(4, HostNetwork.DefaultRoute(routes, null)?.Index);
        Assert.Equal(3, HostNetwork.DefaultRoute(routes, 3)?.Index);
        Assert.Null(HostNetwork.DefaultRoute(routes, 9));
    }
}
