using System.Text.Json;
using Tunnel.App.Hosting;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>tunnelctl top, of a running process.</summary>
[Collection(nameof(TopTests))]
public class TopTests : EndToEndTest
{
    private const string Token = "a-token-for-these-tests";

    [Fact(Timeout = Limit)]
    public async Task OnceItPrintsSessionsWithTheirRates()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        (UdpPair pair, Uri url) = await StartAsync();
        await using EchoLoad load = await EchoLoad.StartAsync(await pair.Client.Socks5PortAsync(), target.Port, 2);
        ToolResult result = new(1, "", "");
        await Until.TrueAsync("top shows traffic", async () =>
        {
            result = await TopAsync("--url", $"{url}", "--token", Token, "--once");
            return result.ExitCode == 0 && result.Output.Contains("bit/s") && result.Output.Contains("streams 2");
        });
        Assert.Contains("tunnel server", result.Output);
        Assert.Contains("ready", result.Output);
        Assert.Contains("127.0.0.1:", result.Output);
        // Not a terminal: neither colours nor anything else that only one understands.
        Assert.DoesNotContain('\e', result.Output);
    }

    [Fact(Timeout = Limit)]
    public async Task AsJsonItIsTheStatus()
    {
        (UdpPair pair, Uri url) = await StartAsync();
        await File.WriteAllTextAsync(PathOf("token"), Token + "\n");
        ToolResult result = await TopAsync("--url", $"{url}", "--token-file", PathOf("token"), "--json");
        using JsonDocument status = JsonDocument.Parse(result.Expect());
        Assert.Equal(pair.Server.Id, status.RootElement.GetProperty("pid").GetInt32());
        Assert.Equal("server", status.RootElement.GetProperty("role").GetString());
    }

    [Fact(Timeout = Limit)]
    public async Task WhatIsWrongIsSaid()
    {
        (_, Uri url) = await StartAsync();
        await ExpectAsync(ExitCode.Failure, "wants debug.token", "--url", $"{url}", "--once");
        await ExpectAsync(ExitCode.Failure, "wants debug.token", "--url", $"{url}", "--token", "wrong", "--once");
        await ExpectAsync(ExitCode.Failure, "nothing answers at http://127.0.0.1:1/status", "--url", "http://127.0.0.1:1", "--once");
        await ExpectAsync(ExitCode.Failure, "nowhere", "--token-file", PathOf("nowhere"), "--once");
        await ExpectAsync(ExitCode.Usage, "not an http:// address", "--url", "127.0.0.1:6060", "--once");
        await ExpectAsync(ExitCode.Usage, "not both", "--token", "a", "--token-file", "b");
    }

    private static async Task ExpectAsync(int code, string message, params string[] arguments)
    {
        ToolResult result = await TopAsync(arguments);
        Assert.Equal(code, result.ExitCode);
        Assert.Contains(message, result.Error);
    }

    private static Task<ToolResult> TopAsync(params string[] arguments) => Tool.RunAsync(Binaries.Control, ["top", .. arguments]);

    private async Task<(UdpPair Pair, Uri Url)> StartAsync()
    {
        UdpPair pair = await UdpPair.StartAsync(
            this, FreeUdpPort(), s => s.With("debug.pprof", "127.0.0.1:0").With("debug.token", Token));
        using DebugClient debug = await DebugClient.ToAsync(pair.Server);
        return (pair, debug.Address);
    }
}
