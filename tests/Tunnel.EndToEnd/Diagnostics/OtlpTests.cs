using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Tunnel.App.Config;
using Tunnel.App.Diagnostics.Otlp;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>What a collector gets when the file names one.</summary>
[Collection(nameof(OtlpTests))]
public class OtlpTests : EndToEndTest
{
    [Theory(Timeout = Limit)]
    [InlineData("http")]
    [InlineData("grpc")]
    public async Task StreamSetUpAndFiguresArriveFromBothEnds(string protocol)
    {
        OtlpCollector collector = Own(await OtlpCollector.StartAsync(protocol));
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort(), Export, Export);
        using (Socket socket = await SocksClient.ConnectAsync(await pair.Client.Socks5PortAsync(), "127.0.0.1", target.Port))
        {
            await socket.SendTextAsync("hello");
            Assert.Equal("hello", await socket.ReceiveTextAsync(5));
        }

        (Socket refused, byte reply) = await SocksClient.TryConnectAsync(await pair.Client.Socks5PortAsync(), "127.0.0.1", 1);
        refused.Dispose();
        Assert.Equal(SocksClient.ConnectionRefused, reply);
        pair.Client.Terminate();
        Assert.Equal(0, await pair.Client.ExitAsync());
        pair.Server.Terminate();
        Assert.Equal(0, await pair.Server.ExitAsync());

        Assert.True(collector.Has(collector.Traces, "tunnel-client", "tunnel.accept", "tunnel.open", "server.address", "tunnel.session", "socks5"));
        Assert.True(collector.Has(collector.Traces, "tunnel-server", "tunnel.serve", "tunnel.dial", "server.port", "network.peer.address"));
        Assert.True(collector.Has(collector.Traces, "tunnel-server", "error.type", "ConnectionRefused"));
        Assert.True(collector.Has(collector.Traces, "tunnel-client", "error.type", "DialException"));
        // The last figures of both, with their units.
        string[] figures = ["tunnel.stream.io", "By", "tunnel.kcp.rtt", "tunnel.dial.duration", "tunnel.sessions.opened", "{session}"];
        foreach (string service in new[] { "tunnel-client", "tunnel-server" })
        {
            Assert.True(collector.Has(collector.Traces, service, "host.name", Environment.MachineName, "process.pid"));
            Assert.False(collector.Has(collector.Metrics, service, "role"));
            Assert.All(figures, figure => Assert.True(collector.Has(collector.Metrics, service, figure), $"{service}: no {figure}"));
        }

        Assert.All(collector.Headers("x-test"), h => Assert.Equal("yes", h));
        return;

        void Export(TunnelSettings s) => s.With("debug.otlp", collector.Address).With("debug.otlp_protocol", protocol).With("debug.otlp_headers", "x-test=yes");
    }

    [Fact(Timeout = Limit)]
    public async Task TheMetersFiguresArriveAtTheLatestAtTheEnd()
    {
        OtlpCollector collector = Own(await OtlpCollector.StartAsync());
        using var meter = new Meter("Tunnel");
        using (new OtlpExport(new OtlpConfig(new Uri(collector.Address), OtlpTransport.Http, null), "tunnel-test", "1.2.3"))
            meter.CreateCounter<long>("tunnel.test.count", "{thing}").Add(7);
        Assert.True(collector.Has(collector.Metrics, "tunnel-test", "1.2.3", "tunnel.test.count", "{thing}"));
    }

    /// <summary>A collector that is not there costs a stop no more than moments.</summary>
    [Fact(Timeout = Limit)]
    public async Task ACollectorThatIsAwayChangesNothing()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort(), s => s["debug.otlp"] = "http://127.0.0.1:9", c => c["debug.otlp"] = "http://127.0.0.1:9");
        using (Socket socket = await SocksClient.ConnectAsync(await pair.Client.Socks5PortAsync(), "127.0.0.1", target.Port))
        {
            await socket.SendTextAsync("hello");
            Assert.Equal("hello", await socket.ReceiveTextAsync(5));
        }

        pair.Client.Terminate();
        Assert.Equal(0, await pair.Client.ExitAsync(TimeSpan.FromSeconds(20)));
        Assert.DoesNotMatch(@"\d (warning|error|critical) ", pair.Client.Text);
    }
}
