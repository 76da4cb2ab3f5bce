using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Control;

/// <summary>bench against its own target, straight and through a tunnel. What the figures are is not tested: only that they are figures.</summary>
[Collection(nameof(BenchTests))]
public class BenchTests : EndToEndTest
{
    private const string Straight = "";

    [Theory(Timeout = Limit)]
    [InlineData("http", 0, "-c", "1,4")]
    [InlineData("http", 0, "--no-keepalive")]
    [InlineData("tcp", 1, "-c", "4", "--size", "5000")]
    [InlineData("tcp", 1, "--rate", "200")]
    [InlineData("connect", 1)]
    [InlineData("udp", 1)]
    [InlineData("bulk", 2)]
    [InlineData("bulk", 2, "--direction", "up")]
    public async Task EveryLoadIsCarried(string workload, int port, params string[] options)
    {
        int first = await BenchTarget.ServeAsync(this);
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        string proxy = $"socks5://127.0.0.1:{await pair.Client.Socks5PortAsync()}";
        foreach (string through in (string[])[Straight, proxy])
        {
            JsonElement result = await MeasureAsync([workload, Target(workload, first + port), .. Through(through), .. options]);
            Assert.Equal(workload, result.GetProperty("load").GetProperty("workload").GetString());
            foreach (JsonElement point in result.GetProperty("points").EnumerateArray())
                AssertMeasured(point, workload, options.Contains("--no-keepalive"));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task WhereNobodyListensNothingIsMeasured()
    {
        ToolResult result = await Tool.RunAsync(
            Binaries.Control, "bench", "tcp", "127.0.0.1:1", "-c", "1", "--seconds", "1", "--warm-up", "0", "--rounds", "1");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("nothing was measured", result.Error, StringComparison.Ordinal);
        Assert.Contains("errors: refused", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("0.00 us", result.Output, StringComparison.Ordinal);
    }

    /// <summary>Otherwise its figures would be missing without a word.</summary>
    [Fact(Timeout = Limit)]
    public async Task AProcessThatIsNotThereIsNamed()
    {
        ToolResult result = await Tool.RunAsync(Binaries.Control, "bench", "tcp", "127.0.0.1:1", "--pid", $"{Environment.ProcessId},4194305");
        Assert.Equal(1, result.ExitCode);
        Assert.Equal("--pid: there is no process 4194305", result.Error.Trim());
    }

    /// <summary>They are opened before the window, closed by the target within it, and opened again by bench, which keeps the load what it is.</summary>
    [Fact(Timeout = Limit)]
    public async Task HeldConnectionsThatBreakAreLost()
    {
        using var target = new TcpListener(IPAddress.Loopback, 0);
        target.Start();
        Task serving = EchoAByteAsync(target, brief: 2, TimeSpan.FromSeconds(1));
        JsonElement result = await MeasureAsync(["hold", target.LocalEndpoint.ToString()!, "-c", "2", "-s", "4", "--warm-up", "0.1"]);
        Assert.Equal(2, Round(result).GetProperty("errors").EnumerateObject().Sum(e => e.Value.GetInt32()));
        target.Stop();
        await serving;
    }

    /// <summary>Keeps connections until the listener stops, but for the first few.</summary>
    private static async Task EchoAByteAsync(TcpListener listener, int brief, TimeSpan life)
    {
        List<Socket> held = [];
        try
        {
            for (byte[] one = new byte[1]; ; brief--)
            {
                Socket socket = await listener.AcceptSocketAsync();
                held.Add(socket);
                await socket.ReceiveAsync(one);
                await socket.SendAsync(one);
                if (brief > 0)
                    _ = Task.Delay(life).ContinueWith(_ => socket.Dispose(), TaskScheduler.Default);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            held.ForEach(socket => socket.Dispose());
        }
    }

    [Fact(Timeout = Limit)]
    public async Task OnAFullDiskNothingIsKept()
    {
        int first = await BenchTarget.ServeAsync(this);
        const string script = "mount -t tmpfs -o size=4k none \"$1\" && head -c 4096 /dev/zero > \"$1/fill\"; "
            + "\"$2\" bench tcp \"$3\" -c 1 --seconds 1 --warm-up 0 --rounds 1 --save \"$1/a.json\" > /dev/null; echo $?; ls \"$1\"";
        string folder = Directory.CreateDirectory(PathOf("full")).FullName;
        ToolResult result = await Tool.RunAsync("unshare", "--mount", "sh", "-c", script, "sh", folder, Binaries.Control, $"127.0.0.1:{first + 1}");
        Assert.Equal("1\nfill\n", result.Output);
        Assert.Contains("No space left on device", result.Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task HeldConnectionsAreHeldAndTheirMemoryIsRead()
    {
        int first = await BenchTarget.ServeAsync(this);
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        JsonElement result = await MeasureAsync(
        [
            "hold", Target("hold", first + 1), "-c", "100", "--pid", $"{pair.Client.Id},{pair.Server.Id}",
            .. Through($"socks5://127.0.0.1:{await pair.Client.Socks5PortAsync()}"),
        ]);
        JsonElement round = result.GetProperty("points")[0].GetProperty("rounds")[0];
        Assert.Empty(round.GetProperty("errors").EnumerateObject());
        Assert.All(round.GetProperty("processes").EnumerateArray(), p => Assert.True(p.GetProperty("resident_before_bytes").GetInt64() > 1 << 20));
    }

    [Theory(Timeout = Limit)]
    [InlineData]
    [InlineData("--rate", "500")]
    public async Task ByRequestsExactlySoManyAreCounted(params string[] options)
    {
        int first = await BenchTarget.ServeAsync(this);
        JsonElement result = await MeasureAsync(["http", Target("http", first), "-c", "4", "-n", "500", .. options]);
        Assert.Equal(500, Round(result).GetProperty("operations").GetInt64());
    }

    /// <summary>A target that stops for a while: what was due meanwhile is late, and the percentiles say so.</summary>
    [Fact(Timeout = Limit)]
    public async Task AStalledTargetIsSeenOnASchedule()
    {
        int port = BenchTarget.FreeTcpPort();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen();
        Task serving = EchoOnceAndStallAsync(listener);
        JsonElement result = await MeasureAsync(["tcp", $"127.0.0.1:{port}", "--rate", "100", "--seconds", "2", "--warm-up", "0"]);
        JsonElement round = Round(result);
        Assert.InRange(round.GetProperty("unfinished").GetInt64(), 100, 200);
        Assert.True(round.GetProperty("latency").GetProperty("median_microseconds").GetDouble() > 200_000);
        listener.Close();
        await serving;
    }

    /// <summary>As fast as the answers come there is no schedule to be late on; what hangs when the window closes is counted all the same.</summary>
    [Fact(Timeout = Limit)]
    public async Task AStalledTargetIsSeenWithoutASchedule()
    {
        int port = BenchTarget.FreeTcpPort();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen();
        Task serving = EchoOnceAndStallAsync(listener);
        JsonElement round = Round(await MeasureAsync(["tcp", $"127.0.0.1:{port}", "--seconds", "1", "--warm-up", "0"]));
        Assert.Equal((5, 1), (round.GetProperty("operations").GetInt64(), round.GetProperty("unfinished").GetInt64()));
        Assert.True(round.GetProperty("latency").GetProperty("maximum_microseconds").GetDouble() > 200_000);
        listener.Close();
        await serving;
    }

    /// <summary>For bench report: the host's settings before and after, and the target's queue with its backlog.</summary>
    [Fact(Timeout = Limit)]
    public async Task AKeptResultHasItsHost()
    {
        int first = await BenchTarget.ServeAsync(this, "--backlog", "77");
        await MeasureAsync(["http", Target("http", first), "--no-keepalive", "--save", PathOf("a.json")]);
        JsonElement host = JsonDocument.Parse(await File.ReadAllTextAsync(PathOf("a.json"))).RootElement.GetProperty("host_record");
        Assert.Equal(77, host.GetProperty("listeners")[0].GetProperty("backlog").GetInt32());
        Assert.Equal(0, host.GetProperty("overflows").GetInt64());
        string somaxconn = (await File.ReadAllTextAsync("/proc/sys/net/core/somaxconn")).Trim();
        foreach (string when in (string[])["before", "after"])
            Assert.Equal(somaxconn, host.GetProperty(when).GetProperty("settings").GetProperty("net.core.somaxconn").GetString());
        string note = (await Tool.RunAsync(Binaries.Control, "bench", "report", PathOf("a.json"))).Expect();
        Assert.Contains($"| `net.core.somaxconn` | {somaxconn} |", note);
        Assert.Contains($"127.0.0.1:{first} | 1 |", note);
    }

    [Theory(Timeout = Limit)]
    [InlineData("refused")]
    [InlineData("timeout")]
    [InlineData("closed")]
    public async Task FailuresAreCountedByKind(string kind)
    {
        int port = BenchTarget.FreeTcpPort();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        if (kind != "refused")
            listener.Listen();
        if (kind == "closed")
            _ = CloseAllAsync(listener);
        // Where each operation fails nothing was measured, which the exit code says; what failed is told all the same.
        JsonElement result = await MeasureAsync(["tcp", $"127.0.0.1:{port}", "--timeout", "0.3", "--warm-up", "0", "-s", "1"], exitCode: 1);
        JsonProperty error = Assert.Single(Round(result).GetProperty("errors").EnumerateObject());
        Assert.Equal(kind, error.Name);
        Assert.True(error.Value.GetInt64() > 0);
    }

    [Fact(Timeout = Limit)]
    public async Task TwoKeptResultsAreCompared()
    {
        int first = await BenchTarget.ServeAsync(this);
        foreach (string name in (string[])["a.json", "b.json"])
            await MeasureAsync(["tcp", Target("tcp", first + 1), "--rounds", "3", "-s", "0.1", "--warm-up", "0", "--save", PathOf(name)]);
        string text = (await Tool.RunAsync(Binaries.Control, "bench", "compare", PathOf("a.json"), PathOf("b.json"))).Expect();
        Assert.Contains("operations/s", text, StringComparison.Ordinal);
        string json = (await Tool.RunAsync(Binaries.Control, "bench", "compare", "--json", PathOf("a.json"), PathOf("b.json"))).Expect();
        Assert.NotEmpty(JsonDocument.Parse(json).RootElement.GetProperty("rows").EnumerateArray());
        ToolResult again = await Tool.RunAsync(Binaries.Control, "bench", "tcp", Target("tcp", first + 1), "--save", PathOf("a.json"));
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("not written over", again.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = Limit)]
    [InlineData("HOST:PORT", "tcp", "nowhere")]
    [InlineData("http://", "http", "https://127.0.0.1/")]
    [InlineData("socks5://", "tcp", "127.0.0.1:1", "--through", "http://127.0.0.1:1")]
    [InlineData("--concurrency", "tcp", "127.0.0.1:1", "-c", "0")]
    [InlineData("--seconds", "tcp", "127.0.0.1:1", "-s", "-1")]
    [InlineData("Required argument 'target' missing", "tcp")]
    public async Task WhatMakesNoSenseIsRefused(string says, params string[] arguments)
    {
        ToolResult result = await Tool.RunAsync(Binaries.Control, ["bench", .. arguments]);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(says, result.Error + result.Output, StringComparison.Ordinal);
    }

    private static void AssertMeasured(JsonElement point, string workload, bool connects)
    {
        JsonElement round = point.GetProperty("rounds")[0];
        Assert.Empty(round.GetProperty("errors").EnumerateObject());
        Assert.True(round.GetProperty("operations").GetInt64() > 0);
        Assert.True(round.GetProperty("seconds").GetDouble() > 0);
        if (workload != "connect")
            Assert.True(round.GetProperty("bytes").GetInt64() > 0);
        if (connects || workload == "connect")
            Assert.True(round.GetProperty("connect").GetProperty("count").GetInt64() > 0);
        JsonElement latency = round.GetProperty("latency");
        string[] ascending = ["minimum", "median", "p95", "p99", "p999", "maximum"];
        double[] values = [.. ascending.Select(n => latency.GetProperty($"{n}_microseconds").GetDouble())];
        Assert.Equal(values.Order(), values);
    }

    /// <summary>A window is short, for there are many; a host that stood still for the whole of one has a longer one.</summary>
    private static async Task<JsonElement> MeasureAsync(string[] arguments, int exitCode = 0)
    {
        bool isFixed = arguments.Contains("-s") || arguments.Contains("--seconds");
        string[] rounds = arguments.Contains("--rounds") ? [] : ["--rounds", "1"];
        string[] warmUp = arguments.Contains("--warm-up") ? [] : ["--warm-up", "0.1"];
        for (double seconds = 0.2; ; seconds *= 5)
        {
            string[] window = isFixed ? [] : ["-s", seconds.ToString(CultureInfo.InvariantCulture)];
            ToolResult result = await Tool.RunAsync(Binaries.Control, ["bench", .. arguments, .. window, .. rounds, .. warmUp, "--json"]);
            bool isEmpty = result.ExitCode == 1 && result.Error.Contains("nothing was measured", StringComparison.Ordinal);
            if (isEmpty && exitCode == 0 && !isFixed && seconds < 5)
                continue;
            Assert.True(result.ExitCode == exitCode, $"exit code {result.ExitCode}: {result.Error}");
            return JsonDocument.Parse(result.Output).RootElement;
        }
    }

    private static JsonElement Round(JsonElement result) => result.GetProperty("points")[0].GetProperty("rounds")[0];

    private static string Target(string workload, int port) => workload == "http" ? $"http://127.0.0.1:{port}/" : $"127.0.0.1:{port}";

    private static string[] Through(string proxy) => proxy.Length == 0 ? [] : ["--through", proxy];

    private static async Task EchoOnceAndStallAsync(Socket listener)
    {
        using Socket socket = await listener.AcceptAsync();
        byte[] buffer = new byte[4096];
        for (int i = 0; i < 5; i++)
            await socket.SendAsync(buffer.AsMemory(0, await socket.ReceiveAsync(buffer)));
        try
        {
            while (await socket.ReceiveAsync(buffer) != 0)
            {
            }
        }
        catch (SocketException)
        {
            // The bench gave the connection up.
        }
    }

    private static async Task CloseAllAsync(Socket listener)
    {
        try
        {
            byte[] buffer = new byte[4096];
            while (true)
            {
                // Read first: a close with unread bytes would be a reset.
                using Socket socket = await listener.AcceptAsync();
                await socket.ReceiveAsync(buffer);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
