using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Tunnel.App.Diagnostics.Profiles;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>dotnet-counters and dotnet-trace themselves, against processes with nothing configured that carry bytes.</summary>
public class OutsideToolTests : EndToEndTest
{
    /// <summary>Figures come once a second, and several of them have to.</summary>
    private const string Counted = "00:00:00:05";

    /// <summary>Clients come and go in less than one.</summary>
    private const string Traced = "00:00:00:03";

    /// <summary>As RUNBOOK says it: of an event source the tool enables no event unless it is told the keywords.</summary>
    private const string AllEvents = "Tunnel:0xFFFFFFFFFFFFFFFF:4";

    [Fact(Timeout = Limit)]
    public async Task CountersSeesTheMeter()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        await using EchoLoad load = await EchoLoad.StartAsync(await pair.Client.Socks5PortAsync(), target.Port, 2);
        await Task.WhenAll(CountAsync(pair.Client), CountAsync(pair.Server));
    }

    private async Task CountAsync(TunnelProcess process)
    {
        string file = PathOf($"{process.Name}.counters.json");
        (await DotnetTool.RunAsync(
            "dotnet-counters", "collect", "-p", $"{process.Id}", "--counters", "Tunnel", "--format", "json", "--refresh-interval", "1",
            "--maxHistograms", "100", "--duration", Counted, "-o", file)).Expect();

        using JsonDocument json = JsonDocument.Parse(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        Counter[] seen = [.. json.RootElement.GetProperty("Events").EnumerateArray().Select(Counter.Read)];
        Assert.All(seen, c => Assert.Equal("Tunnel", c.Provider));
        Assert.All(Of("tunnel.sessions ({session})", ""), value => Assert.Equal(1, value));
        Assert.All(Of("tunnel.streams ({stream})", ""), value => Assert.Equal(2, value));
        // A quantity each second, so several different ones: they are counted, not made up once.
        foreach (string direction in new[] { "in", "out" })
        {
            Assert.True(Of("tunnel.stream.io (By / 1 sec)", $"direction={direction}").Where(v => v > 0).Distinct().Count() > 1);
            Assert.True(Of("tunnel.kcp.segments ({segment} / 1 sec)", $"direction={direction}").Where(v => v > 0).Distinct().Count() > 1);
            Assert.True(Of("tunnel.link.io (By / 1 sec)", $"direction={direction},link=udp").Where(v => v > 0).Distinct().Count() > 1);
        }

        Assert.Contains(Of("tunnel.kcp.rto (s)", "Percentile=50"), value => value > 0);
        Assert.NotEmpty(Of("tunnel.link.batch.size ({frame})", "link=udp,Percentile=95"));
        return;

        double[] Of(string name, string tags)
        {
            double[] values = [.. seen.Where(c => c.Name == name && c.Tags == tags).Select(c => c.Value)];
            Assert.NotEmpty(values);
            return values;
        }
    }

    [Fact(Timeout = Limit)]
    public async Task TraceSeesSessionsStreamsAndMethods()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        UdpPair pair = await UdpPair.StartAsync(this, port);
        await using EchoLoad load = await EchoLoad.StartAsync(await pair.Client.Socks5PortAsync(), target.Port, 2);
        string file = PathOf("server.nettrace");
        Task<ToolResult> tracing = DotnetTool.RunAsync(
            "dotnet-trace", "collect", "-p", $"{pair.Server.Id}", "--profile", "dotnet-sampled-thread-time", "--providers", AllEvents,
            "--duration", Traced, "-o", file);
        while (!tracing.IsCompleted)
            await ComeAndGoAsync(port, target);
        (await tracing).Expect();

        Assert.Contains($"`dotnet-trace collect -p PID --providers {AllEvents}`", await File.ReadAllTextAsync(Repository.PathOf("RUNBOOK.md")), StringComparison.Ordinal);
        byte[] trace = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        // Names of events are names of methods, too, which any trace may have; what they say is in none but theirs.
        foreach (string text in new[] { "SessionStarted", "SessionEnded", "StreamOpened", "StreamClosed", target.Address, "Goodbye" })
            Assert.True(trace.AsSpan().IndexOf(Encoding.Unicode.GetBytes(text)) >= 0, $"no {text} in the trace");
        StackProfile profile = await Profiler.ReadTraceAsync(new MemoryStream(trace), Stream.Null, TimeSpan.FromSeconds(5));
        Assert.Contains(profile.Functions, f => f.StartsWith("Tunnel.App.Runtime.", StringComparison.Ordinal));
        Assert.Contains(profile.Functions, f => f.StartsWith("Tunnel.Protocol.", StringComparison.Ordinal));
    }

    /// <summary>Another client's whole life, with one stream in it.</summary>
    private async Task ComeAndGoAsync(int port, SocketTarget target)
    {
        TunnelProcess client = await StartClientAsync(TunnelSettings.UdpClient(port).WithSocks5());
        await client.ConnectedAsync();
        using (Socket socket = await SocksClient.ConnectAsync(await client.Socks5PortAsync(), "127.0.0.1", target.Port))
        {
            await socket.SendTextAsync("hello");
            Assert.Equal("hello", await socket.ReceiveTextAsync(5));
        }

        client.Terminate();
        await client.ExitAsync();
    }

    private sealed record Counter(string Provider, string Name, string Tags, double Value)
    {
        public static Counter Read(JsonElement e) => new(
            e.GetProperty("provider").GetString()!,
            e.GetProperty("name").GetString()!,
            e.GetProperty("tags").GetString()!,
            e.GetProperty("value").GetDouble());
    }
}
