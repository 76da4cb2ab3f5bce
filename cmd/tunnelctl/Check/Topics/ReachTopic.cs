using System.Globalization;
using Tunnel.App.Config;
using Tunnel.App.Hosting;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>Whether a client's server can be reached, step by step; the last step is a session with the file's key.</summary>
internal sealed class ReachTopic : ITopic
{
    private const string Name = "reach.name";
    private const string Route = "reach.route";
    private const string Neighbour = "reach.neighbour";
    private const string Session = "reach.session";
    private const string Clock = "reach.clock";
    private const string WhyName = "the server's name must resolve here";
    private const string WhyRoute = "there must be a way to it";
    private const string WhyNeighbour = "the first hop must answer";
    private const string WhySession = "route, port, firewall, guard, key and stream header are right at both ends";
    private const string WhyClock = "the two clocks, compared by the guard itself";

    public string Topic => "reach";

    public string Title => "The way to the server";

    public IReadOnlyList<string> Names => [Name, Route, Neighbour, Session, Clock];

    public async Task<IReadOnlyList<Finding>> LookAsync(CheckContext context, CancellationToken cancel)
    {
        if (context.File?.Client is not { } client)
        {
            string reason = context.File is null ? "no file: give a client's with --config"
                : context.File.Server is not null ? "a server's file: clients come to it" : "the file has problems";
            return [.. Names.Zip([WhyName, WhyRoute, WhyNeighbour, WhySession, WhyClock], (n, w) => Finding.Unknown(n, reason, w))];
        }

        return [LookAtName(context, client), LookAtRoute(context), LookAtNeighbour(context, client), .. await TryAsync(context, client, cancel).ConfigureAwait(false)];
    }

    private static Finding LookAtName(CheckContext context, ClientConfig client)
    {
        if (client.FirstServer.Address is not { } server)
            return Finding.Unknown(Name, context.NameProblem ?? "", WhyName);
        bool found = context.ServerAddresses.Count > 0;
        string now = found ? string.Join(", ", context.ServerAddresses.Take(4)) : $"{server.Host}: {context.NameProblem ?? "has no address"}";
        return Finding.Must(Name, found, now, "an address", WhyName, $"getent ahosts {server.Host}");
    }

    private static Finding LookAtRoute(CheckContext context)
    {
        if (context.Route is { } route)
            return Finding.Good(Route, $"by {route.Interface} from {route.LocalAddress}", "", WhyRoute);
        return context.ServerAddresses.Count == 0
            ? Finding.Unknown(Route, "the server's name does not resolve", WhyRoute)
            : Finding.Must(Route, false, context.RouteProblem ?? "none", "a route", WhyRoute, $"ip route get {context.ServerAddresses[0]}");
    }

    private static Finding LookAtNeighbour(CheckContext context, ClientConfig client)
    {
        if (context.Route is not { } route)
            return Finding.Unknown(Neighbour, "there is no route", WhyNeighbour);
        if (route.IsLoopback || route.NextHop is null)
            return Finding.Good(Neighbour, "loopback: none", "", WhyNeighbour);
        bool raw = client.Network.Link != LinkKind.Udp;
        return route.NextHopMac is null
            ? new Finding(
                Neighbour, raw ? FindingVerdict.Broken : FindingVerdict.Unknown, $"{route.NextHop} does not answer", raw ? "answers" : "", WhyNeighbour,
                $"ping -c 1 {route.NextHop}")
            : Finding.Good(Neighbour, $"{route.NextHop} answers", "", WhyNeighbour);
    }

    private static async Task<Finding[]> TryAsync(CheckContext context, ClientConfig client, CancellationToken cancel)
    {
        if (context.ProbeTimeout is not { } timeout)
            return [Finding.Unknown(Session, "not tried (--offline)", WhySession), Finding.Unknown(Clock, "not tried (--offline)", WhyClock)];
        if (client.Transport.Profile == TransportProfile.Kcptun)
        {
            const string reason = "kcptun's format has no question that a server answers by itself";
            return [Finding.Unknown(Session, reason, WhySession), Finding.Unknown(Clock, reason, WhyClock)];
        }

        SessionProbeResult result = await context.Calls.ProbeAsync(client, timeout, cancel).ConfigureAwait(false);
        return [LookAtSession(context.File!.Path, client, result), LookAtClock(client, result)];
    }

    private static Finding LookAtSession(string file, ClientConfig client, SessionProbeResult result)
    {
        if (result.Connect is not { } connect)
            return Finding.Must(Session, false, result.Problem ?? "no answer", "up", WhySession, $"tunnelctl ping --config {file}");
        string ping = result.RoundTrip is { } trip ? $", a round trip of {Milliseconds(trip)}" : "";
        return Finding.Good(Session, $"{client.FirstServer.Name} is up after {Milliseconds(connect)}{ping}", "", WhySession);
    }

    private static Finding LookAtClock(ClientConfig client, SessionProbeResult result)
    {
        if (client.Transport.Kcp.Guard is not { } guard)
            return Finding.Good(Clock, "the guard is off", "", WhyClock);
        if (result.Connect is null)
            return Finding.Unknown(Clock, "no session came up", WhyClock);
        double most = guard.Window.TotalSeconds * (Math.Max(1, guard.Skew) + 1);
        return Finding.Good(Clock, string.Create(CultureInfo.InvariantCulture, $"less than {most:0} s apart: each guard accepted the other's cookies"), "", WhyClock);
    }

    private static string Milliseconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.#} ms");
}
