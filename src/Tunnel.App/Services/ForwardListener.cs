using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>A local port whose connections all go to one target, dialled by the server.</summary>
public sealed class ForwardListener(IPEndPoint listen, Target target, StreamOpener opener, ListenerGate gate, ILogger logger)
    : LocalListener(listen, gate, logger)
{
    protected override string Name => "forward";

    protected override async Task HandleAsync(Socket socket, CancellationToken stop)
    {
        using Activity? accepted = TunnelActivities.Accept(Name)?.SetTarget(target);
        TunnelStream stream;
        try
        {
            stream = await opener.OpenAsync(target, stop).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            accepted?.Fail(e);
            // There is no error to say but a reset.
            socket.Close(0);
            throw;
        }

        accepted?.Stop();
        await new Relay(socket, stream, isClient: true).RunAsync(stop).ConfigureAwait(false);
    }
}
