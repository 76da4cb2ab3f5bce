using Tunnel.EndToEnd.Diagnostics;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Udp;

/// <summary>Files over the udp link, whose datagrams the kernel takes and gives many at a time.</summary>
[Collection(nameof(OffloadTests))]
public class OffloadTests : EndToEndTest
{
    private const int Length = 64 * Payload.MiB;

    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DatagramsCrossTheKernelMergedAndFilesArriveWhole(bool guard)
    {
        UdpPair pair = await TransferAsync(guard, serverOffloads: true);
        foreach (TunnelProcess end in new[] { pair.Client, pair.Server })
        {
            using DebugClient debug = await DebugClient.ToAsync(end);
            PrometheusParser metrics = await debug.MetricsAsync();
            foreach (string direction in new[] { "in", "out" })
            {
                double frames = metrics.Sum("tunnel_link_merged_size_count", $"direction=\"{direction}\"");
                double datagrams = metrics.Sum("tunnel_link_merged_size_sum", $"direction=\"{direction}\"");
                Assert.True(frames > 0 && datagrams / frames > 4, $"{end.Name} {direction}: {datagrams} datagrams in {frames}");
                // Counted as the wire has them.
                Assert.True(metrics.Sum("tunnel_link_packets_total", $"direction=\"{direction}\"") >= datagrams);
            }
        }
    }

    /// <summary>An end without it changes nothing for the other, for nothing of it is on the wire.</summary>
    [Fact(Timeout = Limit)]
    public async Task AnEndWithoutItIsServedAsWell()
    {
        UdpPair pair = await TransferAsync(guard: true, serverOffloads: false);
        using DebugClient debug = await DebugClient.ToAsync(pair.Server);
        Assert.Equal(0, (await debug.MetricsAsync()).Sum("tunnel_link_merged_size_count"));
    }

    private async Task<UdpPair> TransferAsync(bool guard, bool serverOffloads)
    {
        Requires.Tool("curl");
        using HttpTarget target = HttpTarget.Start();
        UdpPair pair = await UdpPair.StartAsync(
            this,
            FreeUdpPort(),
            s => Change(s, guard).With("network.udp.offload", serverOffloads),
            c => Change(c, guard));
        var curl = new Curl(null, await pair.Client.Socks5PortAsync());
        await curl.DownloadAsync($"127.0.0.1:{target.Port}", Length);
        Payload.WriteFile(PathOf("upload"), seed: 2, Length);
        Assert.Equal(Payload.Hash(2, Length), await curl.UploadAsync($"127.0.0.1:{target.Port}", PathOf("upload")));
        return pair;
    }

    private static TunnelSettings Change(TunnelSettings settings, bool guard) =>
        settings.With("transport.kcp.guard", guard).With("debug.pprof", "127.0.0.1:0");
}
