using System.Diagnostics;
using System.Net.Sockets;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>
/// Traces of how streams are set up, by OpenTelemetry's conventions: source "Tunnel". A client's tunnel.accept (from an application's
/// connection to the answer it gets) holds tunnel.open (through the tunnel, to the dial's result); a server's tunnel.serve (a stream,
/// from its header) holds tunnel.dial. The wire carries no trace context, so the two ends' traces are apart. Nothing is made while
/// nobody listens.
/// </summary>
public static class TunnelActivities
{
    /// <summary>The source's name.</summary>
    public const string Name = "Tunnel";

    private static readonly ActivitySource Source = new(Name);

    /// <summary>An application's connection was accepted.</summary>
    /// <param name="listener">Of which kind.</param>
    public static Activity? Accept(string listener) => Source.StartActivity("tunnel.accept", ActivityKind.Server)?.SetTag("tunnel.listener", listener);

    /// <summary>A stream through the tunnel is wanted.</summary>
    public static Activity? Open(Target target, string transport) => Start("tunnel.open", ActivityKind.Client, target, transport);

    /// <summary>A peer opened a stream.</summary>
    public static Activity? Serve(TunnelStream stream) =>
        Source.StartActivity("tunnel.serve", ActivityKind.Server) is { } activity ? activity.SetStream(stream) : null;

    /// <summary>A target is dialled.</summary>
    public static Activity? Dial(Target target) => Start("tunnel.dial", ActivityKind.Client, target, "tcp");

    /// <summary>Which stream of which session.</summary>
    public static Activity SetStream(this Activity activity, TunnelStream stream) => activity
        .SetTag("network.peer.address", stream.Session.Peer.ToIPEndPoint().Address.ToString())
        .SetTag("network.peer.port", (int)stream.Session.Peer.Port)
        .SetTag("tunnel.session", $"{stream.Session.Conv:x8}")
        .SetTag("tunnel.stream", (long)stream.Id);

    /// <summary>Where it leads.</summary>
    public static Activity SetTarget(this Activity activity, Target target) => target.Host is null
        ? activity
        : activity.SetTag("server.address", target.Host).SetTag("server.port", (int)target.Port);

    /// <summary>
    /// It went wrong. The first failure is the cause, what others come of it are not; and what happens to a stream that has been set up is no
    /// failure of setting it up, even if that has not been exported yet.
    /// </summary>
    public static void Fail(this Activity activity, Exception e)
    {
        if (activity.IsStopped || activity.Status == ActivityStatusCode.Error)
            return;
        string type = e is SocketException socket ? socket.SocketErrorCode.ToString() : e.GetType().Name;
        activity.SetTag("error.type", type).SetStatus(ActivityStatusCode.Error, e.Message);
    }

    /// <summary>It ends elsewhere: what goes on here is no more part of it than before it began.</summary>
    public static void Detach(this Activity activity) => Activity.Current = activity.Parent;

    /// <summary>Ends one that was detached, wherever that is.</summary>
    /// <param name="activity">Null: nobody listens.</param>
    /// <param name="why">What went wrong; null: nothing.</param>
    public static void EndDetached(this Activity? activity, Exception? why = null)
    {
        if (activity is null)
            return;
        Activity? here = Activity.Current;
        if (why is not null)
            activity.Fail(why);
        activity.Dispose();
        Activity.Current = here;
    }

    private static Activity? Start(string name, ActivityKind kind, Target target, string transport) =>
        Source.StartActivity(name, kind)?.SetTarget(target).SetTag("network.transport", transport);
}
