using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Hosting;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Pool;
using Tunnel.App.Runtime.Resolving;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Links;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Ctl.Ping;

/// <summary>How often, how fast and how patiently.</summary>
internal sealed record PingOptions(int Count, TimeSpan Interval, TimeSpan Timeout);

/// <summary>
/// Asks a server over a link and a session of its own, from a port of its own: a client that runs beside it notices nothing.
/// </summary>
internal sealed class PingRun(ClientConfig config, PingOptions options, ILogger logger, TextWriter? progress)
{
    private static readonly TimeSpan ResolveTimeout = TimeSpan.FromSeconds(10);

    private readonly List<TimeSpan?>[] _trips = [[], [], []];

    /// <exception cref="Tunnel.Links.LinkException">There is no way to the server, or the link does not open.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The server's name does not resolve.</exception>
    public async Task<PingReport> RunAsync(CancellationToken cancel)
    {
        SessionFactory sessions = Stack.CreateFactory(
            config.Transport, () => config.Transport.Kcp, new LimitMeter(logger), new TrafficLedger());
        IPEndPoint server = await FindServerAsync(cancel).ConfigureAwait(false);
        OpenedLink opened = await new ClientLinks(OwnPort(config), logger).OpenAsync(server, 0, cancel).ConfigureAwait(false);
        var link = new WatchedLink(opened.Link, opened.Server);
        using var deadlines = new DeadlineLoop();
        using var receiver = new ClientReceiver(opened with { Link = new ReplaceableLink(link) }, sessions, deadlines);
        using var icmp = new IcmpListener(opened.Server.ToIPEndPoint().Address);
        receiver.Start();
        progress?.WriteLine($"PING {opened.Server} over {link.Name}, guard {(sessions.Guard is null ? "off" : "on")}");
        var probe = new PingProbe(receiver.Session, link, Stack.HeaderFormatOf(config.Transport), options.Timeout);
        await AskAsync(probe, receiver.Session, cancel).ConfigureAwait(false);
        PingEvidence seen = await GatherAsync(receiver, link, icmp, probe).ConfigureAwait(false);
        await LeaveAsync(receiver.Session).ConfigureAwait(false);
        return new PingReport(seen.Server, link.Name, Summaries(), PingDiagnosis.Explain(seen), seen);
    }

    /// <summary>The server that is preferred; of several alike the first of the file, of several addresses the first.</summary>
    private async Task<IPEndPoint> FindServerAsync(CancellationToken cancel)
    {
        var found = new TaskCompletionSource<IReadOnlyList<ServerSpec>>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var servers = new ServerDirectory(DnsClient.OfThisHost, specs => _ = specs.Count != 0 && found.TrySetResult(specs), logger);
        servers.Apply(config.Servers);
        try
        {
            IReadOnlyList<ServerSpec> specs = await found.Task.WaitAsync(ResolveTimeout, cancel).ConfigureAwait(false);
            HostPort address = specs.MinBy(s => s.Priority)!.Address;
            IPAddress[] all = address.Literal is { } literal ? [literal] : await Dns.GetHostAddressesAsync(address.Host, cancel).ConfigureAwait(false);
            return new IPEndPoint(all[0], address.Port);
        }
        catch (TimeoutException)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }
    }

    private bool HasPing => config.Transport.Profile == TransportProfile.Paqet;

    private List<TimeSpan?> Trips(PingLevel level) => _trips[(int)level];

    /// <summary>The running client may have the configured port.</summary>
    private static ClientConfig OwnPort(ClientConfig config) => config with
    {
        Network = config.Network with
        {
            IPv4 = config.Network.IPv4 with { Port = 0 },
            IPv6 = config.Network.IPv6 with { Port = 0 },
        },
    };

    private async Task AskAsync(PingProbe probe, PeerSession session, CancellationToken cancel)
    {
        try
        {
            // A server knows a session by its first segment: nothing less than a segment can be asked before.
            TimeSpan? first = await probe.RunAsync(PingLevel.Session, cancel).ConfigureAwait(false);
            if (first is null && !session.IsProven)
            {
                Trips(PingLevel.Session).Add(null);
                return;
            }

            for (int i = 0; i < options.Count && !session.IsClosed; i++)
            {
                if (i > 0)
                    await Task.Delay(options.Interval, cancel).ConfigureAwait(false);
                await AskOnceAsync(i + 1, probe, cancel).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // What was measured so far counts.
        }
    }

    /// <summary>
    /// Says goodbye, so that the server does not keep the session, and send again what it answered last, until its keepalive gives up. What it
    /// understands is asked only now: nothing but the round trips is measured.
    /// </summary>
    private async Task LeaveAsync(PeerSession session)
    {
        try
        {
            if (session.IsProven && HasPing)
                await CapabilityExchange.RunAsync(session, options.Timeout).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            // It goes without a word, then.
        }

        await Farewell.LeaveAsync(session).ConfigureAwait(false);
    }

    private async Task AskOnceAsync(int number, PingProbe probe, CancellationToken cancel)
    {
        List<string> texts = [];
        foreach (PingLevel level in Enum.GetValues<PingLevel>())
        {
            if (level == PingLevel.Stream && !HasPing)
                continue;
            TimeSpan? trip = await probe.RunAsync(level, cancel).ConfigureAwait(false);
            Trips(level).Add(trip);
            texts.Add($"{level.ToString().ToLowerInvariant()} {Render(trip)}");
        }

        progress?.WriteLine($"seq {number}: {string.Join(", ", texts)}");
    }

    private static string Render(TimeSpan? trip) =>
        trip is { } time ? time.TotalMilliseconds.ToString("0.000", CultureInfo.InvariantCulture) + " ms" : "lost";

    private async Task<PingEvidence> GatherAsync(ClientReceiver receiver, WatchedLink link, IcmpListener icmp, PingProbe probe)
    {
        IPEndPoint server = receiver.Session.Peer.ToIPEndPoint();
        bool silent = !receiver.Session.IsProven;
        GuardConfig? guard = config.Transport.Kcp.Guard;
        return new PingEvidence
        {
            Server = server.ToString(),
            Link = link.Name,
            HasGuard = guard is not null,
            Answered = !silent && (!HasPing || Trips(PingLevel.Stream).Count == 0 || Trips(PingLevel.Stream).Any(t => t is not null)),
            Acknowledged = !silent,
            Refusal = probe.Refusal,
            Frames = link.Frames,
            Resets = link.Resets,
            SendErrors = link.Counters.SendErrors,
            DroppedByGuard = receiver.GetDrops(DropReason.Guard),
            DroppedByCipher = receiver.GetDrops(DropReason.Cipher),
            DroppedByFec = receiver.GetDrops(DropReason.Fec),
            Unreachable = silent ? icmp.Heard : "",
            PortUnreachable = silent && config.Network.Link == LinkKind.Udp && (icmp.RefusesPort || await HostProbe.RefusesUdpAsync(server).ConfigureAwait(false)),
            HostAnswersEcho = silent ? await HostProbe.EchoesAsync(server.Address).ConfigureAwait(false) : null,
            ClockDifferenceSeconds = silent && guard is not null ? await IcmpClock.DifferenceAsync(server.Address).ConfigureAwait(false) : null,
            ClockToleranceSeconds = guard is null ? null : guard.Window.TotalSeconds * guard.Skew,
        };
    }

    private IReadOnlyList<PingSummary> Summaries() =>
        [.. Enum.GetValues<PingLevel>().Where(l => Trips(l).Count > 0).Select(l => PingSummary.Of(l, Trips(l)))];
}
