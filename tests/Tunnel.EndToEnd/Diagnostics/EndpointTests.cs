using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Tunnel.App.Hosting;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>What a running client and a running server show of themselves over HTTP.</summary>
[Collection(nameof(EndpointTests))]
public class EndpointTests : EndToEndTest
{
    private const string AnyPort = "127.0.0.1:0";

    [Fact(Timeout = Limit)]
    public async Task MetricsAreWellFormedAndCountWhatWasCarried()
    {
        (UdpPair pair, SocketTarget target) = await StartAsync();
        using DebugClient client = await DebugClient.ToAsync(pair.Client), server = await DebugClient.ToAsync(pair.Server);
        using Socket socket = await SocksClient.ConnectAsync(await pair.Client.Socks5PortAsync(), "127.0.0.1", target.Port);
        byte[] block = new byte[100_000];
        await socket.SendAllAsync(block);
        await socket.ReceiveExactlyAsync(block.Length);

        PrometheusParser there = await server.MetricsAsync(), here = await client.MetricsAsync();
        foreach (PrometheusParser end in new[] { here, there })
        {
            Assert.True(end.Sum("tunnel_stream_io_bytes_total", "direction=\"in\"") >= block.Length);
            Assert.True(end.Sum("tunnel_stream_io_bytes_total", "direction=\"out\"") >= block.Length);
            Assert.True(end.Sum("tunnel_link_io_bytes_total", "link=\"udp\"") >= 2 * block.Length);
            Assert.True(end.Sum("process_cpu_time_seconds_total") > 0);
            Assert.Equal(1, end.Sum("tunnel_streams"));
        }

        Assert.Equal(1, here.Sum("tunnel_connections"));
        Assert.Equal(1, there.Sum("tunnel_dial_duration_seconds_count", "connected"));
        Assert.Contains("tunnel_memory_limit_bytes", here.Types.Keys);
        Assert.Contains("tunnel_memory_limit_bytes", there.Types.Keys);
    }

    [Fact(Timeout = Limit)]
    public async Task StatusShowsSessionsAndStreamsWithTheirRates()
    {
        (UdpPair pair, SocketTarget target) = await StartAsync();
        using DebugClient client = await DebugClient.ToAsync(pair.Client), server = await DebugClient.ToAsync(pair.Server);
        await using EchoLoad load = await EchoLoad.StartAsync(await pair.Client.Socks5PortAsync(), target.Port, 3);
        foreach (DebugClient end in new[] { client, server })
        {
            await Until.TrueAsync("the status shows traffic", async () =>
            {
                JsonElement status = await end.StatusAsync();
                return status.GetProperty("stream_count").GetInt32() == 3
                    && status.GetProperty("now").GetProperty("stream_in_bytes_per_second").GetDouble() > 0
                    && status.GetProperty("streams").EnumerateArray().All(s => s.GetProperty("in_bytes_per_second").GetDouble() > 0);
            });
            JsonElement seen = await end.StatusAsync();
            JsonElement session = Assert.Single(seen.GetProperty("sessions").EnumerateArray());
            Assert.True(session.GetProperty("rtt_milliseconds").GetInt32() > 0);
            Assert.True(session.GetProperty("in_bytes").GetInt64() > 0);
            Assert.Equal(2048, session.GetProperty("send_window").GetInt32());
            Assert.All(seen.GetProperty("streams").EnumerateArray(), s => Assert.Equal(target.Address, s.GetProperty("target").GetString()));
            Assert.True(seen.GetProperty("ready").GetBoolean());
            Assert.Equal("udp", seen.GetProperty("link").GetString());
            Assert.DoesNotContain(TunnelSettings.Key, seen.GetRawText());
        }

        Assert.Equal(pair.Client.Id, (await client.StatusAsync()).GetProperty("pid").GetInt32());
        JsonElement connection = Assert.Single((await client.StatusAsync()).GetProperty("connections").EnumerateArray());
        Assert.Equal("up", connection.GetProperty("state").GetString());
    }

    [Fact(Timeout = Limit)]
    public async Task AClientIsReadyWhileItHasASession()
    {
        int port = FreeUdpPort();
        TunnelProcess client = await StartClientAsync(TunnelSettings.UdpClient(port).WithSocks5().With("debug.pprof", AnyPort));
        using DebugClient debug = await DebugClient.ToAsync(client);
        Assert.Equal(HttpStatusCode.OK, await debug.CodeAsync("/healthz"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await debug.CodeAsync("/readyz"));
        TunnelProcess server = await StartServerAsync(TunnelSettings.UdpServer(port).With("debug.pprof", AnyPort));
        using DebugClient serverDebug = await DebugClient.ToAsync(server);
        Assert.Equal(HttpStatusCode.OK, await serverDebug.CodeAsync("/readyz"));
        await client.ConnectedAsync();
        Assert.Equal(HttpStatusCode.OK, await debug.CodeAsync("/readyz"));
        server.Terminate();
        await Until.TrueAsync("the client is not ready", async () => await debug.CodeAsync("/readyz") == HttpStatusCode.ServiceUnavailable);
    }

    [Fact(Timeout = Limit)]
    public async Task EventsBeginWithTheLastMinutesAndGoOn()
    {
        (UdpPair pair, _) = await StartAsync();
        using DebugClient debug = await DebugClient.ToAsync(pair.Server);
        using HttpResponseMessage answer = await debug.AskAsync("/events", HttpMethod.Get);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.ToString());
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        List<string> names = [];
        while (names.Count < 4)
        {
            string? line = await reader.ReadLineAsync();
            Assert.NotNull(line);
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                names.Add(line[7..]);
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                JsonDocument.Parse(line[6..]).Dispose();
        }

        Assert.Equal(["history", "status", "status", "status"], names);
        // A viewer that stays must not hold up the end.
        pair.Server.Terminate();
        Assert.Equal(ExitCode.Success, await pair.Server.ExitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact(Timeout = Limit)]
    public async Task TheConfigurationIsShownWithoutSecrets()
    {
        (UdpPair pair, _) = await StartAsync();
        using DebugClient debug = await DebugClient.ToAsync(pair.Client);
        string shown = await debug.GetAsync("/config");
        Assert.Contains("key = \"***\"", shown);
        Assert.Contains("grace = \"0s\"", shown);
        Assert.DoesNotContain(TunnelSettings.Key, shown);
    }

    [Fact(Timeout = Limit)]
    public async Task WithoutATokenItIsForThisHostAlone()
    {
        (UdpPair pair, _) = await StartAsync();
        using DebugClient debug = await DebugClient.ToAsync(pair.Server);
        Assert.Equal(HttpStatusCode.OK, await debug.CodeAsync("/status", ("Host", "localhost")));
        Assert.Equal(HttpStatusCode.MisdirectedRequest, await debug.CodeAsync("/status", ("Host", "rebound.example")));
        Assert.Equal(
            HttpStatusCode.Forbidden, await debug.CodeAsync("/status", ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")));
        Assert.Equal(HttpStatusCode.NotFound, await debug.CodeAsync("/nothing"));
        using HttpResponseMessage post = await debug.AskAsync("/status", HttpMethod.Post);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
        foreach (string path in new[] { "/", "/nothing", "/debug/pprof", "/debug/pprof/heap?seconds=5" })
        {
            using HttpResponseMessage answer = await debug.AskAsync(path, HttpMethod.Get);
            Assert.StartsWith("default-src 'none'", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")));
            Assert.True(answer.Headers.CacheControl?.NoStore, path);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task ATokenOpensByHeaderAndByCookie()
    {
        const string token = "a-token-for-these-tests";
        (UdpPair pair, _) = await StartAsync(s => s.With("debug.token", token));
        using DebugClient debug = await DebugClient.ToAsync(pair.Server);
        Assert.Equal(HttpStatusCode.Unauthorized, await debug.CodeAsync("/status"));
        Assert.Equal(HttpStatusCode.Unauthorized, await debug.CodeAsync("/", ("Authorization", "Bearer another")));
        Assert.Equal(HttpStatusCode.Unauthorized, await debug.CodeAsync($"/?token={token}x"));
        Assert.Equal(HttpStatusCode.OK, await debug.CodeAsync("/healthz"));
        Assert.Equal(HttpStatusCode.OK, await debug.CodeAsync("/readyz"));
        Assert.Equal(HttpStatusCode.OK, await debug.CodeAsync("/status", ("Authorization", $"Bearer {token}")));

        using HttpResponseMessage answer = await debug.AskAsync($"//evil.example/?token={token}&a=b", HttpMethod.Get);
        Assert.Equal("/evil.example/?a=b", answer.Headers.Location!.OriginalString);
        string cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie);
        Assert.DoesNotContain(token, cookie);
        string presented = cookie.Split(';')[0];
        Assert.Equal(HttpStatusCode.OK, await debug.CodeAsync("/status", ("Cookie", presented)));
        Assert.Equal(HttpStatusCode.Unauthorized, await debug.CodeAsync("/status", ("Cookie", presented[..^1] + "x")));
    }

    [Fact(Timeout = Limit)]
    public async Task ATakenPortIsNamed()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string address = taken.LocalEndpoint.ToString()!;
        TunnelProcess server = Launch([Binaries.Server], TunnelSettings.UdpServer(FreeUdpPort()).With("debug.pprof", address));
        Assert.Equal(ExitCode.PortInUse, await server.ExitAsync());
        Assert.Contains($"debug.pprof: {address} is taken", server.Text);
        Assert.Contains("ss -ltnp", server.Text);
    }

    [Fact(Timeout = Limit)]
    public async Task WithoutTheKeyNothingListens()
    {
        Requires.Tool("ss");
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        Assert.Equal(0, pair.Server.Count("debug listens"));
        ToolResult listening = await Tool.RunAsync("ss", "-Hltnp");
        Assert.DoesNotContain($"pid={pair.Server.Id},", listening.Expect());
    }

    private async Task<(UdpPair Pair, SocketTarget Target)> StartAsync(Action<TunnelSettings>? changeServer = null)
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(
            this,
            FreeUdpPort(),
            s =>
            {
                s["debug.pprof"] = AnyPort;
                changeServer?.Invoke(s);
            },
            c => c["debug.pprof"] = AnyPort);
        return (pair, target);
    }
}
