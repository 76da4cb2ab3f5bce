using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>Figures of processes under load against what others counted: the kernel, the applications.</summary>
public class CountTests : EndToEndTest
{
    private const int Length = 64 * Payload.MiB;

    /// <summary>What else is on such a cable: neighbour discovery, and what was under way between two looks.</summary>
    private const double OtherFrames = 40;

    /// <summary>
    /// Bytes and packets at the link are those of the interface, over libpcap, whose frames are an interface's packets; and what one end
    /// sent is what the other judged and took.
    /// </summary>
    [Fact(Timeout = Limit)]
    public async Task LinksCountWhatTheInterfacesCount()
    {
        PcapPair pair = await PcapPair.StartAsync(this, Namespaces.ServerIPv4, Show, Show);
        await pair.Curl.DownloadAsync(PcapPair.Target, Length);
        (double Packets, double Bytes) sent = await ReadInterfaceAsync(pair.Hosts.Server, "tx"), received = await ReadInterfaceAsync(pair.Hosts.Client, "rx");
        PrometheusParser server = await MetricsAsync(pair.Hosts.Server), client = await MetricsAsync(pair.Hosts.Client);
        Assert.True(sent.Bytes > Length);
        AssertNear(sent.Packets, server.Sum("tunnel_link_packets_total", "direction=\"out\""), OtherFrames);
        AssertNear(received.Packets, client.Sum("tunnel_link_packets_total", "direction=\"in\""), OtherFrames);
        AssertNear(sent.Bytes, server.Sum("tunnel_link_io_bytes_total", "direction=\"out\""), OtherFrames * 1500);
        AssertNear(received.Bytes, client.Sum("tunnel_link_io_bytes_total", "direction=\"in\""), OtherFrames * 1500);

        // What the server sent and the client did not drop, refuse or fail to read is what the client judged.
        Assert.Equal(0, client.Sum("tunnel_guard_checks_total", "drop"));
        Assert.InRange(client.Sum("tunnel_guard_checks_total", "pass"), Length / 1500.0, received.Packets);
        Assert.Equal(0, client.Sum("tunnel_drops_total"));
        double segmentsSent = server.Sum("tunnel_kcp_segments_total", "out"), again = server.Sum("tunnel_kcp_retransmissions_total");
        Assert.InRange(segmentsSent, Length / 1500.0, double.MaxValue);
        Assert.InRange(client.Sum("tunnel_kcp_segments_total", "in"), segmentsSent - again - OtherFrames, segmentsSent);
        Assert.True(client.Sum("tunnel_kcp_duplicates_total") <= again);
    }

    /// <summary>Streams, dials and bytes are those that the applications made.</summary>
    [Fact(Timeout = Limit)]
    public async Task StreamsAndBytesAreThoseOfTheApplications()
    {
        const int Connections = 40, Refused = 7, Block = 100_000, Small = 200;
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort(), s => s["debug.pprof"] = "127.0.0.1:0", c => c["debug.pprof"] = "127.0.0.1:0");
        using DebugClient clientDebug = await DebugClient.ToAsync(pair.Client), serverDebug = await DebugClient.ToAsync(pair.Server);
        int proxy = await pair.Client.Socks5PortAsync();
        double before = (await clientDebug.MetricsAsync()).Sum("tunnel_streams_opened_total", "own");
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => ExchangeAsync(proxy, target.Port, Block)));
        for (int i = 0; i < Refused; i++)
        {
            (Socket socket, byte reply) = await SocksClient.TryConnectAsync(proxy, "127.0.0.1", 1);
            socket.Dispose();
            Assert.Equal(SocksClient.ConnectionRefused, reply);
        }

        // Streams end a little after their sockets: what both say once none is left.
        await Until.TrueAsync("no stream is left", async () =>
            (await clientDebug.MetricsAsync()).Sum("tunnel_streams") + (await serverDebug.MetricsAsync()).Sum("tunnel_streams") == 0);
        PrometheusParser client = await clientDebug.MetricsAsync(), server = await serverDebug.MetricsAsync();
        Assert.Equal(Connections + Refused, client.Sum("tunnel_streams_opened_total", "own") - before);
        Assert.Equal(client.Sum("tunnel_streams_opened_total", "own"), server.Sum("tunnel_streams_opened_total", "peer"));
        foreach (PrometheusParser end in new[] { client, server })
        {
            Assert.Equal(end.Sum("tunnel_streams_opened_total"), end.Sum("tunnel_streams_closed_total"));
            Assert.Equal(Connections, end.Sum("tunnel_dial_duration_seconds_count", "result=\"connected\""));
            Assert.Equal(Refused, end.Sum("tunnel_dial_duration_seconds_count", "result=\"refused\""));
            // Headers and dial results are in the streams, too.
            foreach (string direction in new[] { "in", "out" })
                Assert.InRange(end.Sum("tunnel_stream_io_bytes_total", $"direction=\"{direction}\""), Connections * Block, Connections * (Block + Small));
            Assert.Equal(0, end.Sum("tunnel_kcp_in_flight_size_bytes"));
            Assert.Equal(0, end.Sum("tunnel_buffered_bytes"));
        }

        Assert.Equal(client.Sum("tunnel_stream_io_bytes_total", "out"), server.Sum("tunnel_stream_io_bytes_total", "in"));
        Assert.Equal(server.Sum("tunnel_stream_io_bytes_total", "out"), client.Sum("tunnel_stream_io_bytes_total", "in"));
    }

    private static void Show(TunnelSettings settings) => settings["debug.pprof"] = "127.0.0.1:6060";

    private static void AssertNear(double counted, double told, double slack) => Assert.InRange(told, counted - slack, counted + slack);

    private static async Task ExchangeAsync(int proxy, int port, int length)
    {
        using Socket socket = await SocksClient.ConnectAsync(proxy, "127.0.0.1", port);
        await Task.WhenAll(socket.SendAllAsync(new byte[length]), socket.ReceiveExactlyAsync(length));
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await socket.ReceiveAsync(new byte[1]));
    }

    private static async Task<PrometheusParser> MetricsAsync(string host) =>
        PrometheusParser.Parse((await Tool.RunInAsync(host, "curl", "-sf", "http://127.0.0.1:6060/metrics")).Expect());

    private static async Task<(double Packets, double Bytes)> ReadInterfaceAsync(string host, string direction)
    {
        string json = (await Tool.RunInAsync(host, "ip", "-s", "-j", "link", "show", Namespaces.Interface)).Expect();
        using JsonDocument parsed = JsonDocument.Parse(json);
        JsonElement counts = parsed.RootElement[0].GetProperty("stats64").GetProperty(direction);
        return (counts.GetProperty("packets").GetDouble(), counts.GetProperty("bytes").GetDouble());
    }
}
