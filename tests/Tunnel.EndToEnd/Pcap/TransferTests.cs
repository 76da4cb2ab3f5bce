using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Pcap;

/// <summary>Files through raw TCP segments between two hosts, whose interfaces offload as those of a real network card do.</summary>
[Collection(nameof(TransferTests))]
public class TransferTests : EndToEndTest
{
    public static TheoryData<string> Wires => [Namespaces.ServerIPv4, $"[{Namespaces.ServerIPv6}]"];

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Wires))]
    public async Task LargeFilesArriveWholeBothWays(string serverAddress)
    {
        const int length = 64 * Payload.MiB;
        PcapPair pair = await PcapPair.StartAsync(this, serverAddress);
        RawTrace resets = await RawTrace.StartAsync(this, pair.Hosts.Server, PathOf("resets.pcap"), RawTrace.Resets);

        await pair.Curl.DownloadAsync(PcapPair.Target, length);
        Payload.WriteFile(PathOf("upload"), seed: 2, length);
        Assert.Equal(Payload.Hash(2, length), await pair.Curl.UploadAsync(PcapPair.Target, PathOf("upload")));

        Assert.Empty(await resets.StopAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task TwentyDownloadsAtOnceArriveWhole()
    {
        PcapPair pair = await PcapPair.StartAsync(this, Namespaces.ServerIPv4);
        RawTrace resets = await RawTrace.StartAsync(this, pair.Hosts.Client, PathOf("resets.pcap"), RawTrace.Resets);

        await Task.WhenAll(Enumerable.Range(1, 20).Select(i => pair.Curl.DownloadAsync(PcapPair.Target, 8 * Payload.MiB, seed: i)));

        Assert.Empty(await resets.StopAsync());
    }

    /// <summary>Names are the server's to resolve: the client's host does not know this one.</summary>
    [Fact(Timeout = Limit)]
    public async Task TargetsMayBeIPv4OrIPv6OrANameOfTheServersHost()
    {
        PcapPair pair = await PcapPair.StartAsync(this, Namespaces.ServerIPv4);
        foreach (string host in new[] { Namespaces.ServerIPv4, $"[{Namespaces.ServerIPv6}]", "[::1]", Namespaces.TargetName })
            await pair.Curl.DownloadAsync($"{host}:{PcapPair.TargetPort}", 100_000);
    }

    [Fact(Timeout = Limit)]
    public async Task AForwardedPortLeadsToItsTarget()
    {
        PcapPair pair = await PcapPair.StartAsync(this, Namespaces.ServerIPv4, changeClient: c => c.WithForward(PcapPair.Target));
        string url = $"http://127.0.0.1:{await pair.Client.ForwardPortAsync()}/1/100000";
        ToolResult result = await Tool.RunInAsync(
            pair.Hosts.Client, "curl", ["--silent", "--show-error", "--fail", url], Payload.HashAsync);
        result.Expect();
        Assert.Equal(Payload.Hash(1, 100_000), result.Output);
    }

    [Fact(Timeout = Limit)]
    public async Task SeveralSessionsShareTheWork()
    {
        PcapPair pair = await PcapPair.StartAsync(this, Namespaces.ServerIPv4, changeClient: c => c["transport.conn"] = 4);
        await pair.Client.ConnectedAsync(times: 4);
        await Task.WhenAll(Enumerable.Range(1, 8).Select(i => pair.Curl.DownloadAsync(PcapPair.Target, Payload.MiB, seed: i)));
    }
}
