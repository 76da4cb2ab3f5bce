using System.Net;
using System.Net.NetworkInformation;
using Microsoft.Extensions.Logging.Abstractions;
using Tunnel.App.Hosting;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Tests.Config;

namespace Tunnel.Tests.Hosting;

public class ClientLinksTests
{
    private const int Port = 41_999;

    /// <summary>While the server is down its address is free, and who binds it talks to himself.</summary>
    [Theory]
    [InlineData("", "127.0.0.1", true)]
    [InlineData("", "127.0.0.9", true)]
    [InlineData("address='127.0.0.1'", "127.0.0.1", true)]
    [InlineData("address='127.0.0.2'", "127.0.0.1", false)]
    [InlineData("", "192.0.2.1", false)]
    public async Task TheServersOwnAddressAndPortAreNotTheClients(string address, string server, bool refused)
    {
        var links = new ClientLinks(ConfigText.ValidClient($"""
            [server]
            address='{server}:{Port}'
            [[socks5]]
            listen='127.0.0.1:0'
            [network]
            link='udp'
            [network.ipv4]
            port={Port}
            {address}
            [transport.kcp]
            key='k'
            """), NullLogger.Instance);
        var to = new IPEndPoint(IPAddress.Parse(server), Port);
        if (refused)
        {
            LinkException e = await Assert.ThrowsAsync<LinkException>(() => OpenAsync(links, to));
            Assert.Equal(LinkFault.PortInUse, e.Fault);
            Assert.Contains($"{to} is this host's own", e.Message);
        }
        else
        {
            (await OpenAsync(links, to)).Link.Dispose();
        }
    }

    [Theory]
    [InlineData("10.0.0.1", false, "network.ipv4.port")]
    [InlineData("fd00::1", false, "network.ipv6.port")]
    [InlineData("10.0.0.1", true, null)]
    public void RulesForARandomPortSayHowItIsKept(string address, bool isFixed, string? setting)
    {
        var server = new IPEndPoint(IPAddress.Parse(address), Port);
        var route = new HostRoute("eth0", 2, 1500, PhysicalAddress.None, server.Address, null, null, false);
        Assert.Equal(setting, ClientLinks.RulesOf(route, 40_000, isFixed, server).PortSetting);
    }

    private static async Task<OpenedLink> OpenAsync(ClientLinks links, IPEndPoint to) => await links.OpenAsync(to, 0, CancellationToken.None);
}
