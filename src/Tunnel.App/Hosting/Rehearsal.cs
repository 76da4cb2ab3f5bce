using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.App.Services;
using Tunnel.Links;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Hosting;

/// <summary>
/// A session between two ends within the process, from its first datagram to its goodbye, while the process starts: what runs for the first time is
/// compiled first, and a hundred milliseconds of that between a client's first datagram and its answer are half of what it waits before it sends it
/// again. Under a key of its own, counted nowhere.
/// </summary>
internal static class Rehearsal
{
    /// <summary>A host that is this slow has other troubles.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Begins; never throws, and nothing waits for it.</summary>
    /// <param name="transport">The cipher and the knobs.</param>
    public static void Begin(TransportConfig transport) => _ = Task.Run(() => TryRunAsync(transport));

    private static async Task TryRunAsync(TransportConfig transport)
    {
        try
        {
            await RunAsync(transport).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // What is wrong shows when somebody needs it. Whatever it is, the process starts without having rehearsed.
        }
    }

    /// <summary>One session.</summary>
    /// <exception cref="TimeoutException">It took too long.</exception>
    /// <exception cref="IOException">It ended first.</exception>
    internal static async Task RunAsync(TransportConfig transport)
    {
        using var stop = new CancellationTokenSource();
        using var deadlines = new DeadlineLoop();
        SessionFactory factory = Stack.CreateFactory(transport, RandomNumberGenerator.GetBytes(32));
        (MemoryLink near, MemoryLink far) = MemoryLink.CreatePair(new MemoryWireOptions(), 0);
        var carrier = new DatagramCarrier();
        var served = new ReplaceableLink(far);
        var sessions = new ServerSessions(factory, carrier, served, deadlines, () => 1);
        sessions.StreamOpened += CreateStreams(transport, stop.Token).Serve;
        using var server = new ServerReceiver(served, sessions);
        server.Start();
        Endpoint peer = DatagramCarrier.AddressOf(near.RemoteAddress);
        var link = new ReplaceableLink(near);
        var opened = new OpenedLink(link, carrier, DatagramCarrier.Open(link, peer.ToIPEndPoint()), peer, null, null);
        using var client = new ClientReceiver(opened, factory, deadlines);
        client.Start();
        await Greeting.RunAsync(client.Session, new ClientConnectionOptions(Ping: true, [], HeaderFormat.V1), isWanted: false).ConfigureAwait(false);
        await Farewell.LeaveAsync(client.Session).ConfigureAwait(false);
        await client.Closed.WaitAsync(Limit).ConfigureAwait(false);
        sessions.Close();
        await stop.CancelAsync().ConfigureAwait(false);
    }

    private static StreamServer CreateStreams(TransportConfig transport, CancellationToken stop)
    {
        var udp = new UdpServing(() => new UdpLimits(), new UdpMeter());
        var gate = new ListenerGate(new ListenersConfig(null, null, 1), NullLogger.Instance);
        var reverse = new ReverseListeners(new ReversePolicy([]), gate, udp, NullLogger.Instance, stop);
        var dialer = new Dialer(() => new DialRules(transport.DialTimeout, TargetPolicy.Everything));
        return new StreamServer(dialer, () => transport.Kcp.HeaderTimeout, null, udp, reverse, NullLogger.Instance, stop);
    }
}
