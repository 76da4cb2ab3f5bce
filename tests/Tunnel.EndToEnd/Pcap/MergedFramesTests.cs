using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Pcap;

/// <summary>Files through packet sockets, whose frames the kernel cuts and merges where it can.</summary>
[Collection(nameof(MergedFramesTests))]
public class MergedFramesTests : EndToEndTest
{
    private const int Length = 64 * Payload.MiB;

    /// <summary>The links of the two ends, whether the cable's devices offload, the guard, and the wire.</summary>
    public static TheoryData<string, string, bool, bool, string> Pairs => new()
    {
        { "afpacket", "afpacket", true, true, Namespaces.ServerIPv4 },
        { "auto", "auto", true, false, $"[{Namespaces.ServerIPv6}]" },
        { "afpacket", "afpacket", false, true, Namespaces.ServerIPv4 },
        { "afpacket", "pcap", true, true, Namespaces.ServerIPv4 },
        { "pcap", "afpacket", true, false, Namespaces.ServerIPv4 },
    };

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Pairs))]
    public async Task LargeFilesArriveWholeBothWays(string serverLink, string clientLink, bool offloads, bool guard, string serverAddress)
    {
        PcapPair pair = await PcapPair.StartAsync(this, serverAddress, s => Change(s, serverLink, guard), c => Change(c, clientLink, guard));
        if (!offloads)
            await TurnOffloadsOffAsync(pair.Hosts);

        await pair.Curl.DownloadAsync(PcapPair.Target, Length);
        Payload.WriteFile(PathOf("upload"), seed: 2, Length);
        Assert.Equal(Payload.Hash(2, Length), await pair.Curl.UploadAsync(PcapPair.Target, PathOf("upload")));
    }

    [Fact(Timeout = Limit)]
    public async Task TwentyDownloadsAtOnceArriveWhole()
    {
        PcapPair pair = await PcapPair.StartAsync(
            this, Namespaces.ServerIPv4, s => Change(s, "afpacket", guard: true), c => Change(c, "afpacket", guard: true));
        await Task.WhenAll(Enumerable.Range(1, 20).Select(i => pair.Curl.DownloadAsync(PcapPair.Target, 8 * Payload.MiB, seed: i)));
    }

    private static void Change(TunnelSettings settings, string link, bool guard) =>
        settings.With("network.link", link).With("transport.kcp.guard", guard);

    private static async Task TurnOffloadsOffAsync(Namespaces hosts)
    {
        Requires.Tool("ethtool");
        foreach (string host in new[] { hosts.Client, hosts.Server })
            (await Tool.RunInAsync(host, "ethtool", "-K", Namespaces.Interface, "tso", "off", "gso", "off", "gro", "off")).Expect();
    }
}
