using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Fleet;

/// <summary>A server on several ports, a connection to each.</summary>
public class PortRangeTests : EndToEndTest
{
    private const int Ports = 3;

    [Theory(Timeout = Limit)]
    [InlineData("pcap")]
    [InlineData("afpacket")]
    public async Task RawSegmentsGoToEveryPortAndComeBackFromIt(string link)
    {
        Namespaces hosts = await PcapPair.PrepareAsync(this);
        TunnelProcess server = await StartServerAsync(
            TunnelSettings.PcapServer().With("network.link", link).With("listen.ports", Ports), hosts.Server);
        RawTrace resets = await RawTrace.StartAsync(this, hosts.Server, PathOf("resets.pcap"), RawTrace.Resets);
        TunnelProcess client = await StartClientAsync(
            TunnelSettings.PcapClient(Namespaces.ServerIPv4).WithSocks5()
                .With("network.link", link).With("server.ports", Ports).With("transport.conn", Ports).With("network.ipv4.port", 40000),
            hosts.Client);
        await client.ConnectedAsync(times: Ports);
        for (int i = 0; i < Ports; i++)
        {
            // A connection takes answers from nowhere but the port that it sends to.
            await client.LineAsync($"connection {i}: session with {Namespaces.ServerIPv4}:{TunnelSettings.ServerPort + i} is up");
            await server.LineAsync($"of {Namespaces.ClientIPv4}:{40000 + i} began");
        }

        var curl = new Curl(hosts.Client, await client.Socks5PortAsync());
        await Task.WhenAll(Enumerable.Range(1, 2 * Ports).Select(i => curl.DownloadAsync(PcapPair.Target, Payload.MiB, seed: i)));
        Assert.Empty(await resets.StopAsync());
        string rules = (await Tool.RunInAsync(hosts.Server, "nft", "list", "ruleset")).Expect();
        Assert.Contains($"{TunnelSettings.ServerPort}-{TunnelSettings.ServerPort + Ports - 1}", rules);
    }

    [Fact(Timeout = Limit)]
    public async Task DatagramsDoSoToo()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int first = FreeUdpPorts(Ports);
        UdpPair pair = await UdpPair.StartAsync(
            this, first, s => s["listen.ports"] = Ports, c => c.With("server.ports", Ports).With("transport.conn", Ports));
        await pair.Client.ConnectedAsync(times: Ports);
        for (int i = 0; i < Ports; i++)
            await pair.Client.LineAsync($"connection {i}: session with 127.0.0.1:{first + i} is up");
        for (int i = 0; i < 2 * Ports; i++)
        {
            using Socket socket = await SocksClient.ConnectAsync(await pair.Client.Socks5PortAsync(), "localhost", target.Port);
            await socket.SendTextAsync("hello");
            Assert.Equal("hello", await socket.ReceiveTextAsync(5));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task APortThatIsNotServedGivesWayToTheFirst()
    {
        int first = FreeUdpPorts(2);
        UdpPair pair = await UdpPair.StartAsync(this, first, changeClient: c => c.With("server.ports", 2).With("transport.conn", 2));
        await pair.Client.LineAsync($"connection 1: session with 127.0.0.1:{first} is up");
    }

    /// <summary>Consecutive UDP ports that are free now.</summary>
    private static int FreeUdpPorts(int count)
    {
        while (true)
        {
            int first = FreeUdpPort();
            if (first + count <= ushort.MaxValue && Enumerable.Range(first, count).All(IsFree))
                return first;
        }
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
