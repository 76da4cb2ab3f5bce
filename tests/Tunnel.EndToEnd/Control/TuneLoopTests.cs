using System.Text.Json;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Control;

/// <summary>tune-loop in namespaces of its own: that it measures before and after, and that the host is as before however it ends.</summary>
[Collection(nameof(TuneLoopTests))]
public class TuneLoopTests : EndToEndTest
{
    private const string Somaxconn = "/proc/sys/net/core/somaxconn";
    private const string Before = "4096";
    private const string Changed = "65535";

    /// <summary>A turn there and back; most of its time the host's counters are watched.</summary>
    private static readonly string[] Brief = ["-s", "0.2", "--rounds", "1", "--warm-up", "0.1", "-c", "4"];
    private static readonly string[] TwoTurns = ["-s", "0.2", "--rounds", "2", "--warm-up", "0.1", "-c", "4,8"];

    [Fact(Timeout = Limit)]
    public async Task ItMeasuresChangesMeasuresAndUndoes()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        string text = (await LoopAsync(hosts.Client, ["somaxconn", "--yes", .. Brief])).Expect();
        Assert.Contains("net.core.somaxconn is as it was", text);
        Assert.Equal(Before, await ReadAsync(hosts.Client));
        string note = await File.ReadAllTextAsync(PathOf("loop/report.md"));
        Assert.Contains($"| `net.core.somaxconn` | {Before} | {Changed} | {Changed} |", note);
        // The target was started anew, or it would have kept the backlog that it began with.
        Assert.Equal((4096, 65535), (BacklogIn("before"), BacklogIn("after")));
        Assert.Contains("<svg", await File.ReadAllTextAsync(PathOf("loop/report.svg")));
        Assert.False(File.Exists(PathOf("loop/undo.json")));
        ToolResult twice = await LoopAsync(hosts.Client, ["somaxconn", "--yes", .. Brief]);
        Assert.Equal(1, twice.ExitCode);
        Assert.Contains("not written over", twice.Error);
        string again = (await Tool.RunAsync(Binaries.Control, "bench", "report", PathOf("loop/before.json"), PathOf("loop/after.json"), "--json")).Expect();
        Assert.Equal(Changed, JsonDocument.Parse(again).RootElement.GetProperty("after").GetString());
    }

    /// <summary>A load that the backlog matters for: the queue overflows, then it does not, and the report says so.</summary>
    [Fact(Timeout = Limit)]
    public async Task ABurstThatDoesNotFitIsSeen()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        (await Tool.RunInAsync(hosts.Client, "sh", "-c", $"echo 1 > {Somaxconn}")).Expect();
        string text = (await LoopAsync(hosts.Client, ["--yes", "-c", "64", "-s", "1", "--rounds", "2", "--warm-up", "0", "--json"])).Expect();
        JsonElement loop = JsonDocument.Parse(text).RootElement, report = loop.GetProperty("report");
        Assert.True(loop.GetProperty("is_changed").GetBoolean());
        Assert.Equal("better", report.GetProperty("outcome").GetString());
        Assert.Contains("the listen queue overflowed", report.GetProperty("summary").GetString());
        Assert.Equal(("1", Changed), (report.GetProperty("before").GetString(), report.GetProperty("after").GetString()));
        Assert.Equal("1", await ReadAsync(hosts.Client));
    }

    [Theory(Timeout = Limit)]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task EverySignalUndoesTheChange(string signal)
    {
        Namespaces hosts = await CreateNamespacesAsync();
        ChildProcess loop = StartLoop(hosts.Client);
        await Until.TrueAsync("the knob is turned", async () => await ReadAsync(hosts.Client) == Changed);
        Assert.True(File.Exists(PathOf("loop/undo.json")));
        (await Tool.RunAsync("kill", $"-{signal}", $"{loop.Id}")).Expect();
        Assert.Equal(1, await loop.ExitAsync());
        Assert.Contains("stopped before the end", loop.Text);
        Assert.Equal(Before, await ReadAsync(hosts.Client));
        Assert.False(File.Exists(PathOf("loop/undo.json")));
        // Its own target has ended with it.
        Assert.DoesNotContain("127.0.0.1", (await Tool.RunInAsync(hosts.Client, "ss", "-Hltn")).Output);
    }

    /// <summary>The folder vanishes, so that the second result cannot be kept.</summary>
    [Fact(Timeout = Limit)]
    public async Task AFailureInTheMiddleUndoesTheChange()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        ChildProcess loop = StartLoop(hosts.Client, "-s", "1", "--rounds", "1");
        await Until.TrueAsync("its value is in the file", () => IsInUndoFile($"{Changed}\\n"));
        Directory.Delete(PathOf("loop"), recursive: true);
        Assert.Equal(1, await loop.ExitAsync());
        Assert.Contains("before.json", loop.Text);
        Assert.Equal(Before, await ReadAsync(hosts.Client));
    }

    /// <summary>Nothing can be undone by a process that was killed; the file is there for that.</summary>
    [Fact(Timeout = Limit)]
    public async Task WhatAKillLeavesTheFileUndoes()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        ChildProcess loop = StartLoop(hosts.Client);
        await Until.TrueAsync("its value is in the file", () => IsInUndoFile($"{Changed}\\n"));
        await loop.KillAsync();
        Assert.Equal(Changed, await ReadAsync(hosts.Client));
        (await Tool.RunInAsync(hosts.Client, Binaries.Control, "check", "--revert", PathOf("loop/undo.json"))).Expect();
        Assert.Equal(Before, await ReadAsync(hosts.Client));
    }

    [Fact(Timeout = Limit)]
    public async Task WhatIsKeptStaysUntilItIsReverted()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        string text = (await LoopAsync(hosts.Client, ["somaxconn", "--yes", "--keep", "--value", "5000", .. Brief])).Expect();
        Assert.Contains("check --revert", text);
        Assert.Equal("5000", await ReadAsync(hosts.Client));
        (await Tool.RunInAsync(hosts.Client, Binaries.Control, "check", "--revert", PathOf("loop/undo.json"))).Expect();
        Assert.Equal(Before, await ReadAsync(hosts.Client));
    }

    /// <summary>A bench takes its time, and would have been for nothing.</summary>
    [Fact(Timeout = Limit)]
    public async Task AValueThatTheKernelRefusesIsFoundBeforeAnythingIsMeasured()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        ToolResult result = await LoopAsync(hosts.Client, ["somaxconn", "--yes", "--value", "99999999999", .. Brief]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("net.core.somaxconn: ", result.Error);
        Assert.Empty(Directory.EnumerateFiles(PathOf("loop")));
        Assert.Equal(Before, await ReadAsync(hosts.Client));
    }

    /// <summary>Through a tunnel whose client listens again at SIGHUP, and has the old backlog back afterwards.</summary>
    [Fact(Timeout = Limit)]
    public async Task ATunnelsListenersFollow()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        int port = FreeUdpPort();
        await StartServerAsync(TunnelSettings.UdpServer(port), hosts.Client);
        TunnelProcess client = await StartClientAsync(TunnelSettings.UdpClient(port).WithSocks5(), hosts.Client);
        await client.ConnectedAsync();
        int socks = await client.Socks5PortAsync();
        ToolResult result = await LoopAsync(
            hosts.Client, ["--yes", "--through", $"socks5://127.0.0.1:{socks}", "--reload", $"{client.Id}", .. TwoTurns]);
        Assert.Contains("is as it was", result.Expect());
        Assert.Equal((4096, 65535), (BacklogIn("before", socks), BacklogIn("after", socks)));
        Assert.Contains($" {Before} ", (await Tool.RunInAsync(hosts.Client, "ss", "-Hltn", $"sport = :{socks}")).Output);
        // There and back, in each of two turns.
        Assert.Equal((1, 3), (client.Count("was read again"), client.Count("has not changed since it was read; listeners listen again")));
        Assert.Equal(1, client.Count("is up"));
    }

    /// <summary>Where nothing goes, that a change changes nothing is no finding.</summary>
    [Fact(Timeout = Limit)]
    public async Task ATargetThatIsNotThereIsNoFinding()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        ToolResult result = await LoopAsync(hosts.Client, ["--yes", "--target", "http://127.0.0.1:1/", .. Brief]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("nothing was measured: not one operation was done at http://127.0.0.1:1/", result.Error);
        Assert.Equal(Before, await ReadAsync(hosts.Client));
        Assert.Empty(Directory.GetFiles(PathOf("loop")));
    }

    [Fact(Timeout = Limit)]
    public async Task WithoutAYesItMeasuresOnceAndSaysTheCommand()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        ToolResult result = await LoopAsync(hosts.Client, Brief);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("--yes", result.Error);
        await AssertMeasuredOnceAsync(hosts.Client, result);
    }

    [Fact(Timeout = Limit)]
    public async Task WithoutRootItMeasuresOnceAndSaysTheCommand()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        // Nobody's: no capabilities, and no files but what all may write.
        Directory.CreateDirectory(PathOf("loop"));
        (await Tool.RunAsync("chmod", "-R", "a+rwX", PathOf("."))).Expect();
        ToolResult result = await Tool.RunInAsync(
            hosts.Client,
            "setpriv",
            [
                "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", $"HOME={PathOf("loop")}",
                Binaries.Control, "tune-loop", "--yes", "--out", PathOf("loop"), .. Brief,
            ]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("not root", result.Error);
        await AssertMeasuredOnceAsync(hosts.Client, result);
    }

    [Theory(Timeout = Limit)]
    [InlineData("no.such.knob")]
    [InlineData("--workload", "nothing")]
    [InlineData("--backlog", "0")]
    [InlineData("somaxconn", "--value", "many")]
    [InlineData("--reload", "me")]
    [InlineData("-c", "0")]
    public async Task AWrongCommandLineIsRefused(params string[] arguments)
    {
        ToolResult result = await LoopAsync(null, arguments);
        Assert.NotEqual(0, result.ExitCode);
        Assert.False(File.Exists(PathOf("loop/before.json")));
    }

    private async Task AssertMeasuredOnceAsync(string host, ToolResult result)
    {
        Assert.Contains($"as root: sysctl -w net.core.somaxconn={Changed}", result.Output);
        Assert.Equal(Before, await ReadAsync(host));
        Assert.True(File.Exists(PathOf("loop/before.json")));
        Assert.False(File.Exists(PathOf("loop/after.json")));
        Assert.Contains("what to compare with", await File.ReadAllTextAsync(PathOf("loop/report.md")));
    }

    /// <summary>For seconds after the change it still measures, and there is another turn to come.</summary>
    private ChildProcess StartLoop(string host, params string[] options) => StartProcess(
        host, Binaries.Control, ["tune-loop", "--yes", "--out", PathOf("loop"), "--warm-up", "0", "-c", "1", .. options.Length != 0 ? options : ["-s", "2", "--rounds", "2"]]);

    private Task<ToolResult> LoopAsync(string? host, string[] arguments) =>
        Tool.RunInAsync(host, Binaries.Control, ["tune-loop", "--out", PathOf("loop"), .. arguments]);

    /// <summary>As the kernel wrote it, which is so once the change is made.</summary>
    private bool IsInUndoFile(string text) =>
        File.Exists(PathOf("loop/undo.json")) && File.ReadAllText(PathOf("loop/undo.json")).Contains(text, StringComparison.Ordinal);

    private int BacklogIn(string name, int? port = null)
    {
        JsonElement record = JsonDocument.Parse(File.ReadAllText(PathOf($"loop/{name}.json"))).RootElement.GetProperty("host_record");
        JsonElement[] listeners = [.. record.GetProperty("listeners").EnumerateArray()
            .Where(l => port is null || l.GetProperty("local").GetString()!.EndsWith($":{port}", StringComparison.Ordinal))];
        return listeners[0].GetProperty("backlog").GetInt32();
    }

    private static async Task<string> ReadAsync(string host) => (await Tool.RunInAsync(host, "cat", Somaxconn)).Expect().Trim();
}
