using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Tunnel.App.Config;
using Tunnel.App.Hosting;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Protocol.Wire;
using Tunnel.Tests.Config;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Hosting;

public class MtuCheckTests
{
    private static readonly TcpCarrier Tcp = new(0, [TcpFlags.Default]);

    [Theory]
    [InlineData("mtu=1436", 1500, false, null)]
    [InlineData("mtu=1437", 1500, false, "transport.kcp.mtu 1437 does not fit eth0 (1500): at most 1436 with IPv4 and guard")]
    [InlineData("mtu=1416", 1500, true, null)]
    [InlineData("mtu=1417", 1500, true, "transport.kcp.mtu 1417 does not fit eth0 (1500): at most 1416 with IPv6 and guard")]
    [InlineData("mtu=1448\nguard=false", 1500, false, null)]
    [InlineData("mtu=1449\nguard=false", 1500, false, "transport.kcp.mtu 1449 does not fit eth0 (1500): at most 1448 with IPv4")]
    [InlineData("mtu=1500", 9000, true, null)]
    [InlineData("mtu='auto'", 576, true, null)]
    [InlineData("", 576, false, null)]
    public void TheLargestThatFitsIsNamed(string mtu, int linkMtu, bool ipv6, string? problem) => Assert.Equal(
        problem, Check(mtu).Problem(new OutgoingLink("eth0", linkMtu), Tcp, ipv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork));

    [Fact]
    public void EveryCarrierCountsItsOwnHeaders()
    {
        Assert.Equal((52, 72), (Tcp.PacketHeaders(false), Tcp.PacketHeaders(true)));
        var syn = new TcpCarrier(0, [TcpFlags.Default, TcpFlags.Syn]);
        Assert.Equal((60, 80), (syn.PacketHeaders(false), syn.PacketHeaders(true)));
        var udp = new DatagramCarrier();
        Assert.Equal((28, 48), (udp.PacketHeaders(false), udp.PacketHeaders(true)));
    }

    [Fact]
    public void WhatDoesNotFitIsRefusedUntilSomethingDid()
    {
        MtuCheck check = Check("mtu=1436");
        LinkException e = Assert.Throws<LinkException>(() => check.Require(new OutgoingLink("eth0", 1499), Tcp, AddressFamily.InterNetwork));
        Assert.Equal(ExitCode.Configuration, ExitCode.For(e.Fault));
        check.Require(new OutgoingLink("eth0", 1500), Tcp, AddressFamily.InterNetwork);
        check.Require(new OutgoingLink("eth0", 1400), Tcp, AddressFamily.InterNetwork);
    }

    [Theory]
    [InlineData("192.0.2.1", 1436, false, false)]
    [InlineData("192.0.2.1", 1437, true, false)]
    [InlineData("192.0.2.1 2001:db8::1", 1436, false, true)]
    [InlineData("192.0.2.1 2001:db8::1", 1437, true, false)]
    [InlineData("192.0.2.1 fe80::1", 1436, false, false)]
    [InlineData("2001:db8::1", 1417, true, false)]
    public void AServerRefusesWhatFitsNoFamilyAndWarnsOfWhatFitsOne(string addresses, int mtu, bool refused, bool warned)
    {
        var log = new LogLines();
        var check = new MtuCheck(ConfigText.ValidServer(ConfigText.Server + $"mtu={mtu}\n").Transport.Kcp, log);
        var served = new InterfaceInfo(
            "eth0", 2, PhysicalAddress.None, 1500, true, false, true, [.. addresses.Split(' ').Select(IPAddress.Parse)], default);
        Exception? e = Record.Exception(() => check.Require(served, Tcp));
        Assert.Equal(refused, e is LinkException { Fault: LinkFault.Configuration });
        Assert.Equal(warned, log.All.Any(l => l.Contains("at most 1416 with IPv6", StringComparison.Ordinal)));
    }

    private static MtuCheck Check(string mtu) => new(ConfigText.ValidServer(ConfigText.Server + mtu + "\n").Transport.Kcp, new LogLines());
}
