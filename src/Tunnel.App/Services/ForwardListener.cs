using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>A local port whose connections all go to one target, dialled by the server.</summary>
/// <param name="listen">Where.</param>
/// <param name="target">Where whoever connects now goes.</param>
/// <param name="opener">Opens streams.</param>
/// <param name="gate">What all listeners share.</param>
/// <param name="logger">Where connections that failed are told.</param>
public sealed class ForwardListener(IPEndPoint listen, Func<Target> target, StreamOpener opener, ListenerGate gate, ILogger logger)
    : LocalListener(listen, gate, logger), IOpeningOwner
{
    protected override string Name => "forward";

    protected override void Serve(TcpSocket socket, CancellationToken stop)
    {
        Target to = target();
        Activity? accepted = TunnelActivities.Accept(Name)?.SetTarget(to);
        new StreamOpening(opener, opener.HeadersFor(to), this) { Socket = socket, Stop = stop, Around = accepted }.Start();
        accepted?.Detach();
    }

    void IOpeningOwner.OnOpened(StreamOpening opening, TunnelStream stream) =>
        Carry(new Relay(opening.Socket!, stream, isClient: true), opening.Stop);

    void IOpeningOwner.OnFailed(StreamOpening opening, Exception why)
    {
        // There is no error to say but a reset.
        if (why is IOException)
            opening.Socket!.Reset();
        End(opening.Socket!, why);
    }
}
