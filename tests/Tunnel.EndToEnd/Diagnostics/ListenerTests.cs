using System.Diagnostics.Tracing;
using System.Text;
using Microsoft.Diagnostics.NETCore.Client;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>The meter as tools hear it that listen from outside (dotnet-counters): through the runtime, without any configuration.</summary>
public class ListenerTests : EndToEndTest
{
    private const long TimeSeriesValues = 2;

    [Fact(Timeout = Limit)]
    public async Task AToolHearsTheMeterByName()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        await using EchoLoad load = await EchoLoad.StartAsync(await pair.Client.Socks5PortAsync(), target.Port, 2);
        var arguments = new Dictionary<string, string>
        {
            ["Metrics"] = "Tunnel",
            ["RefreshInterval"] = "1",
            ["MaxTimeSeries"] = "1000",
            ["MaxHistograms"] = "100",
            ["SessionId"] = "these tests",
        };
        var provider = new EventPipeProvider("System.Diagnostics.Metrics", EventLevel.Informational, TimeSeriesValues, arguments);
        using EventPipeSession session = await new DiagnosticsClient(pair.Server.Id).StartEventPipeSessionAsync([provider], requestRundown: false);
        string[] wanted = ["tunnel.stream.io", "tunnel.kcp.segments", "tunnel.kcp.rtt", "tunnel.sessions", "{segment}", "direction=in"];
        Assert.Empty(await MissingAsync(session.EventStream, wanted));
        await session.StopAsync(CancellationToken.None);
    }

    /// <summary>Reads until all have been heard; those that were not when the stream ended or patience did.</summary>
    private static async Task<string[]> MissingAsync(Stream events, string[] wanted)
    {
        using var limit = new CancellationTokenSource(Until.Patience);
        // The events' texts are UTF-16, at any offset.
        byte[][] missing = [.. wanted.Select(Encoding.Unicode.GetBytes)];
        byte[] block = new byte[64 * 1024];
        List<byte> heard = [];
        try
        {
            while (missing.Length != 0 && await events.ReadAsync(block, limit.Token) is > 0 and var count)
            {
                heard.AddRange(block.AsSpan(0, count));
                byte[] all = [.. heard];
                missing = [.. missing.Where(m => all.AsSpan().IndexOf(m) < 0)];
            }
        }
        catch (OperationCanceledException)
        {
            // What is missing says it.
        }

        return [.. missing.Select(Encoding.Unicode.GetString)];
    }
}
