using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Startup;

/// <summary>What the log looks like where it is read.</summary>
public class LogTests : EndToEndTest
{
    [Fact(Timeout = Limit)]
    public async Task JsonIsAnObjectALine()
    {
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort(), s => s["log.format"] = "json");
        pair.Client.Terminate();
        await pair.Server.LineAsync("ended: Goodbye");
        pair.Server.Terminate();
        await pair.Server.ExitAsync();
        JsonElement[] lines = [.. pair.Server.Lines.Select(l => JsonDocument.Parse(l).RootElement)];
        Assert.All(lines, l => Assert.Equal("tunnel", l.GetProperty("category").GetString()));
        JsonElement began = Assert.Single(lines, l => l.GetProperty("message").GetString()!.EndsWith(" began", StringComparison.Ordinal));
        Assert.Equal("info", began.GetProperty("level").GetString());
        Assert.NotEqual(0, began.GetProperty("event_id").GetInt32());
        Assert.Equal(JsonValueKind.Number, began.GetProperty("fields").GetProperty("Conv").ValueKind);
        Assert.StartsWith("127.0.0.1:", began.GetProperty("fields").GetProperty("Peer").GetString(), StringComparison.Ordinal);
    }

    /// <summary>A socket in the journal's place, which the variable names.</summary>
    [Fact(Timeout = Limit)]
    public async Task TheJournalGetsPrioritiesInsteadOfTimes()
    {
        var log = new StringBuilder();
        var ended = new TaskCompletionSource();
        SocketTarget journal = Own(SocketTarget.Start(async socket =>
        {
            log.Append(Encoding.UTF8.GetString(await socket.ReceiveToEndAsync()));
            ended.SetResult();
        }));
        TunnelProcess server = Launch(AsService(journal), TunnelSettings.UdpServer(FreeUdpPort()));
        await server.ReadyAsync();
        server.Terminate();
        Assert.Equal(0, await server.ExitAsync());
        await ended.Task;
        string[] lines = log.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(lines);
        Assert.All(lines, l => Assert.Matches("^<[2-7]>[^0-9]", l));
        Assert.Contains(lines, l => l.StartsWith("<6>listens on port ", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("<6>link udp closed", StringComparison.Ordinal));
    }

    /// <summary>Before there is a log, too: "journalctl -p err" has to show why a unit did not start.</summary>
    [Fact(Timeout = Limit)]
    public async Task TheJournalIsToldWhyAStartFailed()
    {
        var said = new TaskCompletionSource<string>();
        SocketTarget journal = Own(SocketTarget.Start(async socket => said.SetResult(Encoding.UTF8.GetString(await socket.ReceiveToEndAsync()))));
        TunnelProcess server = Launch(AsService(journal), TunnelSettings.UdpServer(FreeUdpPort()).With("transport.nonsense", 1));
        Assert.Equal(3, await server.ExitAsync());
        string[] lines = (await said.Task).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, l => Assert.StartsWith("<3>", l));
        Assert.Contains(lines, l => l.Contains("transport.nonsense: unknown key"));
    }

    /// <summary>The variable is inherited by processes whose errors go elsewhere.</summary>
    [Fact(Timeout = Limit)]
    public async Task ThePretenceOfAJournalIsSeenThrough()
    {
        TunnelProcess server = Launch(["env", "JOURNAL_STREAM=9:12345", Binaries.Server], TunnelSettings.UdpServer(FreeUdpPort()));
        await server.ReadyAsync();
        server.Terminate();
        Assert.Equal(0, await server.ExitAsync());
        Assert.Matches(@"^\d{4}-\d\d-\d\d .* info +link udp closed", server.Lines.Last(l => l.Contains("link udp closed")));
    }

    /// <summary>The server with that socket as its standard error, which the variable names.</summary>
    private static string[] AsService(SocketTarget journal)
    {
        string script = $"exec 2<>/dev/tcp/127.0.0.1/{journal.Port}; export JOURNAL_STREAM=9:$(readlink /proc/$$/fd/2 | tr -dc 0-9); exec \"$0\" \"$@\"";
        return ["bash", "-c", script, Binaries.Server];
    }
}
