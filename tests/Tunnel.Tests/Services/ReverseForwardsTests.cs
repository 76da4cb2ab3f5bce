using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.App.Services;
using Tunnel.Protocol.Mux;
using Tunnel.Tests.Diagnostics;

namespace Tunnel.Tests.Services;

public class ReverseForwardsTests
{
    /// <summary>A server whose address changes with each restart, for a year.</summary>
    [Fact(Timeout = 60_000)]
    public async Task NothingIsKeptOfSessionsThatHaveEnded()
    {
        using var bench = new ServerBench();
        var config = new ReverseConfig(new IPEndPoint(IPAddress.Any, 8080), new HostPort("127.0.0.1", 80), ForwardProtocol.Tcp);
        var udp = new UdpServing(() => new UdpLimits(), new UdpMeter());
        using var reverse = new ReverseForwards([config, config], () => TimeSpan.FromSeconds(1), udp, NullLogger.Instance, CancellationToken.None);
        PeerSession[] sessions = [.. Enumerable.Range(1, 5).Select(host => bench.Greet(host).Session)];
        foreach (PeerSession session in sessions)
            reverse.Register(0, session);
        Assert.Equal(5, reverse.Sessions);
        foreach (PeerSession session in sessions[1..])
            session.Close(CloseReason.Local);
        while (reverse.Sessions != 1)
            await Task.Delay(10, TestContext.Current.CancellationToken);
    }
}
