using System.Globalization;
using System.Text.RegularExpressions;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Pcap;

/// <summary>A server with several receiving sockets, among which the kernel shares out its clients' connections.</summary>
public partial class ReceiversTests : EndToEndTest
{
    // All of them at one receiver: once in 30,000 runs.
    private const int Connections = 16;

    [Fact(Timeout = Limit)]
    public async Task BothReceiveAndSessionsOutliveTheirInterface()
    {
        PcapPair pair = await PcapPair.StartAsync(
            this,
            Namespaces.ServerIPv4,
            s => s.With("network.link", "afpacket").With("network.receivers", 2),
            c => c.With("network.link", "afpacket").With("transport.conn", Connections));
        await pair.Server.LineAsync("2 receiving");
        await pair.Client.ConnectedAsync(times: Connections);
        await TransferAsync(pair);

        // Down it takes the sockets with it; the new ones find the sessions there.
        (await Tool.RunAsync("ip", "-n", pair.Hosts.Server, "link", "set", Namespaces.Interface, "down")).Expect();
        await pair.Server.LineAsync("opening the link again");
        (await Tool.RunAsync("ip", "-n", pair.Hosts.Server, "link", "set", Namespaces.Interface, "up")).Expect();
        await pair.Server.LineAsync("2 receiving", times: 2);
        await TransferAsync(pair);
        Assert.Equal(Connections, pair.Server.Count("began"));

        pair.Server.Terminate();
        await pair.Server.ExitAsync();
        long[] packets = [.. pair.Server.Lines.Select(l => Closed().Match(l)).Where(m => m.Success)
            .Select(m => long.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))];
        Assert.Equal(2, packets.Length);
        // How many is the flows' chance, and how many acknowledgements share a packet.
        Assert.All(packets, count => Assert.NotEqual(0, count));
    }

    private async Task TransferAsync(PcapPair pair)
    {
        await Task.WhenAll(Enumerable.Range(1, Connections).Select(i => pair.Curl.DownloadAsync(PcapPair.Target, 2 * Payload.MiB, seed: i)));
        Payload.WriteFile(PathOf("upload"), seed: 2, 16 * Payload.MiB);
        Assert.Equal(Payload.Hash(2, 16 * Payload.MiB), await pair.Curl.UploadAsync(PcapPair.Target, PathOf("upload")));
    }

    [GeneratedRegex("link afpacket closed: packets in ([0-9]+)")]
    private static partial Regex Closed();
}
