using System.Net;
using Tunnel.EndToEnd.Harness;
using Tunnel.Protocol.Wire;

namespace Tunnel.EndToEnd.Pcap;

/// <summary>What an onlooker sees: segments as the peers' programs make them, with checksums that are right.</summary>
[Collection(nameof(WireFormTests))]
public class WireFormTests : EndToEndTest
{
    private const string TunnelOnly = "tcp port 9999";

    [Fact(Timeout = Limit)]
    public async Task SegmentsOnIPv4HaveTheCraftedForm()
    {
        List<byte[]> frames = await TraceAsync(Namespaces.ServerIPv4);
        Assert.NotEmpty(frames);
        foreach (byte[] frame in frames)
        {
            EthernetView.TryParse(frame, out EthernetView ethernet);
            Assert.Equal(EtherTypes.IPv4, ethernet.EtherType);
            Assert.Equal(WireDrop.None, IPv4View.TryParse(ethernet.Payload, out IPv4View ip));
            Assert.True(ip.HasValidChecksum);
            Assert.Equal((20, 64, 0), (ip.HeaderLength, ip.TimeToLive, ip.Identification));
            AssertCrafted(ip.Payload, ip.Source, ip.Destination);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task SegmentsOnIPv6HaveTheCraftedForm()
    {
        List<byte[]> frames = await TraceAsync($"[{Namespaces.ServerIPv6}]");
        Assert.NotEmpty(frames);
        foreach (byte[] frame in frames)
        {
            EthernetView.TryParse(frame, out EthernetView ethernet);
            Assert.Equal(EtherTypes.IPv6, ethernet.EtherType);
            Assert.Equal(WireDrop.None, IPv6View.TryParse(ethernet.Payload, out IPv6View ip));
            Assert.Equal((64, 0u), (ip.HopLimit, ip.FlowLabel));
            AssertCrafted(ip.Payload, ip.Source, ip.Destination);
        }
    }

    /// <summary>Somebody else's parser agrees.</summary>
    [Fact(Timeout = Limit)]
    public async Task TcpdumpFindsNothingWrong()
    {
        (PcapPair pair, RawTrace trace) = await StartAsync(Namespaces.ServerIPv4);
        await pair.Curl.DownloadAsync(PcapPair.Target, 300_000);
        string[] lines = await trace.StopAsync();
        Assert.NotEmpty(lines);
        Assert.All(lines, line =>
        {
            Assert.Contains("cksum", line);
            Assert.Contains("(correct)", line);
            Assert.DoesNotContain("incorrect", line);
            Assert.DoesNotContain("bad cksum", line);
        });
    }

    [Fact(Timeout = Limit)]
    public async Task FlagsTakeTheirTurnsAndTheServerWearsWhatItIsAskedTo()
    {
        (PcapPair pair, RawTrace trace) = await StartAsync(Namespaces.ServerIPv4, c =>
        {
            c["network.tcp.local_flag"] = TunnelSettings.List("PA", "A");
            c["network.tcp.remote_flag"] = TunnelSettings.List("A");
        });
        await pair.Curl.DownloadAsync(PcapPair.Target, 300_000);
        List<byte[]> frames = await trace.FramesAsync();
        ushort[] fromClient = [.. FlagsOf(frames, toServer: true)];
        ushort[] fromServer = [.. FlagsOf(frames, toServer: false)];
        const ushort ack = 0x10;
        const ushort pushAck = 0x18;
        Assert.Equal([ack, pushAck], fromClient.Distinct().Order());
        // It is asked over the session itself, so the first answers are still its own choice.
        Assert.Equal(ack, fromServer[^1]);
    }

    private static void AssertCrafted(ReadOnlySpan<byte> segment, ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination)
    {
        Assert.Equal(WireDrop.None, TcpView.TryParse(segment, out TcpView tcp));
        Assert.True(tcp.HasValidChecksum(source, destination), $"checksum of a segment from {new IPAddress(source)}");
        // No handshake, no end: data with PSH and ACK, the largest window, and timestamps.
        Assert.Equal((TcpFlags.Default, 32, 65535), (tcp.Flags, tcp.HeaderLength, tcp.Window));
        Assert.Equal("0101080A", Convert.ToHexString(segment.Slice(20, 4)));
        Assert.InRange(tcp.Payload.Length, 1, 1500 - 20 - 32);
    }

    private static IEnumerable<ushort> FlagsOf(List<byte[]> frames, bool toServer)
    {
        foreach (byte[] frame in frames)
        {
            Assert.Equal(WireDrop.None, TcpSegment.TryParse(frame, out TcpSegment segment));
            if (segment.Destination.Port == TunnelSettings.ServerPort == toServer)
                yield return segment.Flags;
        }
    }

    private async Task<List<byte[]>> TraceAsync(string serverAddress)
    {
        (PcapPair pair, RawTrace trace) = await StartAsync(serverAddress);
        await pair.Curl.DownloadAsync(PcapPair.Target, 300_000);
        return await trace.FramesAsync();
    }

    private async Task<(PcapPair Pair, RawTrace Trace)> StartAsync(string serverAddress, Action<TunnelSettings>? changeClient = null)
    {
        PcapPair pair = await PcapPair.StartAsync(this, serverAddress, changeClient: changeClient);
        return (pair, await RawTrace.StartAsync(this, pair.Hosts.Server, PathOf("wire.pcap"), TunnelOnly));
    }
}
