using System.Net;
using Microsoft.Extensions.Logging;
using Tunnel.Links.Sockets;

namespace Tunnel.App.Services;

/// <summary>A listener that has words with whoever connects before a relay carries the connection.</summary>
public abstract class AwaitingListener(IPEndPoint listen, ListenerGate gate, ILogger logger) : LocalListener(listen, gate, logger)
{
    /// <summary>Serves one connection; the socket is the callee's.</summary>
    /// <returns>What carries it from now on, to be started; null when it was served to its end.</returns>
    protected abstract ValueTask<Relay?> HandleAsync(TcpSocket socket, CancellationToken stop);

    protected sealed override void Serve(TcpSocket socket, CancellationToken stop) => _ = ServeAsync(socket, stop);

    private async Task ServeAsync(TcpSocket socket, CancellationToken stop)
    {
        Relay? relay = null;
        Exception? problem = null;
        try
        {
            relay = await HandleAsync(socket, stop).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            problem = e;
        }

        if (relay is not null)
            Carry(relay, stop);
        else
            End(socket, problem);
    }
}
