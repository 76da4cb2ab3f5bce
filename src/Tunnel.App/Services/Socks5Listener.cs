using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>A SOCKS5 proxy whose connections go out at the server. Names are resolved there.</summary>
public sealed class Socks5Listener(
    IPEndPoint listen, Socks5Credentials? credentials, StreamOpener opener, ListenerGate gate, ILogger logger)
    : LocalListener(listen, gate, logger)
{
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(30);

    protected override string Name => "socks5";

    protected override async Task HandleAsync(Socket socket, CancellationToken stop)
    {
        var protocol = new Socks5Protocol(socket, credentials);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(HandshakeTimeout);
        (_, Target target) = await protocol.AcceptAsync(limit.Token).ConfigureAwait(false);
        limit.CancelAfter(Timeout.InfiniteTimeSpan);
        TunnelStream stream = await OpenAsync(protocol, target, stop).ConfigureAwait(false);
        await protocol.ReplyAsync(Socks5Reply.Succeeded, stop).ConfigureAwait(false);
        await new Relay(socket, stream, isClient: true).RunAsync(stop).ConfigureAwait(false);
    }

    private async Task<TunnelStream> OpenAsync(Socks5Protocol protocol, Target target, CancellationToken stop)
    {
        try
        {
            return await opener.OpenAsync(target, stop).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            await protocol.ReplyAsync(ReplyFor(e), stop).ConfigureAwait(false);
            throw;
        }
    }

    // Dial results have the values of SOCKS5 replies.
    private static Socks5Reply ReplyFor(IOException e) => e switch
    {
        DialException dial => (Socks5Reply)dial.Result,
        TunnelUnavailableException => Socks5Reply.NetworkUnreachable,
        _ => Socks5Reply.GeneralFailure,
    };
}
