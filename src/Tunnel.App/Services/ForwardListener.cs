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
    : LocalListener(listen, gate, logger)
{
    protected override string Name => "forward";

    protected override async ValueTask<Relay?> HandleAsync(TcpSocket socket, CancellationToken stop)
    {
        Target to = target();
        using Activity? accepted = TunnelActivities.Accept(Name)?.SetTarget(to);
        TunnelStream stream;
        try
        {
            using var waiting = new OpeningWatch(socket, endIsLeaving: false, stop);
            stream = await opener.OpenAsync(to, waiting.Over).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            accepted?.Fail(e);
            // There is no error to say but a reset.
            socket.Reset();
            throw;
        }

        accepted?.Stop();
        return new Relay(socket, stream, isClient: true);
    }
}
