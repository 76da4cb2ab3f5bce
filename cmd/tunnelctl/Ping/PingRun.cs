using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Hosting;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Ctl.Ping;

/// <summary>How often, how fast and how patiently.</summary>
internal sealed record PingOptions(int Count, TimeSpan Interval, TimeSpan Timeout);

/// <summary>
/// Asks a server over a link and a session of its own, from a port of its own: a client that runs beside it notices nothing.
/// </summary>
internal sealed class PingRun(ClientConfig config, PingOptions options, ILogger logger, TextWriter? progress)
{
    private readonly List<TimeSpan?>[] _trips = [[], [], []];

    /// <exception cref="Tunnel.Links.LinkException">There is no way to the server, or the link does not open.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The server's name does not resolve.</exception>
    public async Task<PingReport> RunAsync(CancellationToken cancel)
    {
        SessionFactory sessions = Stack.CreateFactory(config.Transport, admission: null);
        OpenedLink opened = await new ClientLinks(OwnPort(config), logger).OpenAsync(cancel).ConfigureAwait(false);
        var link = new WatchedLink(opened.Link, opened.Server);
        using var deadlines = new DeadlineLoop();
        using var receiver = new ClientReceiver(opened with { Link = link }, sessions, deadlines);
        using var icmp = new IcmpListener(opened.Server.ToIPEndPoint().Address);
        receiver.Start();
        progress?.WriteLine($"PING {opened.Server} over {link.Name}, guard {(sessions.Guard is null ? "off" : "on")}");
        var probe = new PingProbe(receiver.Session, link, Stack.HeaderFormatOf(config.Transport), options.Timeout);
        await AskAsync(probe, receiver.Session, cancel).ConfigureAwait(false);
        PingEvidence seen = await GatherAsync(receiver, link, icmp, probe).ConfigureAwait(false);
        await receiver.Session.LeaveAsync().ConfigureAwait(false);
        return new PingReport(seen.Server, link.Name, Summaries(), PingDiagnosis.Explain(seen), seen);
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
            PortUnreachable = silent && config.Network.Link == LinkKind.Udp && await HostProbe.RefusesUdpAsync(server).ConfigureAwait(false),
            HostAnswersEcho = silent ? await HostProbe.EchoesAsync(server.Address).ConfigureAwait(false) : null,
            ClockDifference = silent && guard is not null ? await IcmpClock.DifferenceAsync(server.Address).ConfigureAwait(false) : null,
            ClockTolerance = guard is null ? 0 : guard.Window.TotalSeconds * guard.Skew,
        };
    }

    private IReadOnlyList<PingSummary> Summaries() =>
        [.. Enum.GetValues<PingLevel>().Where(l => Trips(l).Count > 0).Select(l => PingSummary.Of(l, Trips(l)))];
}
