using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Pcap;

/// <summary>What two ends of ours do for each other beyond their peers' format. Keepalives are too slow here to be what helps.</summary>
[Collection(nameof(CapabilityTests))]
public class CapabilityTests : EndToEndTest
{
    private const int NetworkChange = 2;

    [Fact(Timeout = Limit)]
    public async Task AServerThatWasKilledSaysThatTheSessionIsLost()
    {
        PcapPair pair = await StartPatientPairAsync();
        await pair.Server.KillAsync();
        TunnelProcess server = await StartServerAsync(Patient(TunnelSettings.PcapServer()), pair.Hosts.Server);
        await server.ReadyAsync();
        await pair.Curl.DownloadAsync(PcapPair.Target, 100_000);
        await pair.Client.LineAsync("ended: PeerForgot");
    }

    [Fact(Timeout = Limit)]
    public async Task AServerThatIsStoppedSaysGoodbye()
    {
        PcapPair pair = await StartPatientPairAsync();
        pair.Server.Terminate();
        Assert.Equal(0, await pair.Server.ExitAsync());
        await pair.Client.LineAsync("ended: Goodbye");
    }

    [Fact(Timeout = Limit)]
    public async Task AClientThatIsStoppedSaysGoodbye()
    {
        PcapPair pair = await StartPatientPairAsync();
        pair.Client.Terminate();
        Assert.Equal(0, await pair.Client.ExitAsync());
        await pair.Server.LineAsync("ended: Goodbye");
    }

    [Theory(Timeout = Limit)]
    [InlineData("127.0.0.1", 81, 5)]
    [InlineData("nosuch.invalid", 80, 4)]
    public async Task TheProxySaysHowTheDialWent(string host, int port, byte reply)
    {
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        (System.Net.Sockets.Socket socket, byte answer) = await SocksClient.TryConnectAsync(await pair.Client.Socks5PortAsync(), host, port);
        socket.Dispose();
        Assert.Equal(reply, answer);
    }

    [Fact(Timeout = Limit)]
    public async Task AnAddressThatChangesIsFollowed()
    {
        PcapPair pair = await StartPatientPairAsync();
        await IpAsync(pair, "addr", "del", $"{Namespaces.ClientIPv4}/24", "dev", Namespaces.Interface);
        await IpAsync(pair, "addr", "add", "10.77.0.9/24", "dev", Namespaces.Interface);
        await pair.Client.ConnectedAsync(NetworkChange);
        await pair.Server.LineAsync("of 10.77.0.9:");
        await pair.Curl.DownloadAsync(PcapPair.Target, 100_000);
    }

    private async Task<PcapPair> StartPatientPairAsync()
    {
        PcapPair pair = await PcapPair.StartAsync(this, Namespaces.ServerIPv4, s => Patient(s), c => Patient(c));
        await pair.Curl.DownloadAsync(PcapPair.Target, 100_000);
        return pair;
    }

    private static TunnelSettings Patient(TunnelSettings settings) => settings
        .With("transport.kcp.keepalive", "5m")
        .With("transport.kcp.keepalive_timeout", "10m");

    private static async Task IpAsync(PcapPair pair, params string[] arguments) =>
        (await Tool.RunAsync("ip", ["-n", pair.Hosts.Client, .. arguments])).Expect();
}
