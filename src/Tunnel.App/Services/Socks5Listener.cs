using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>A SOCKS5 proxy whose connections go out at the server. Names are resolved there.</summary>
/// <param name="listen">Where.</param>
/// <param name="credentials">What whoever connects now must present; null for nothing.</param>
/// <param name="service">Opens streams and carries datagrams.</param>
/// <param name="gate">What all listeners share.</param>
/// <param name="logger">Where connections that failed are told.</param>
public sealed class Socks5Listener(
    IPEndPoint listen, Func<Socks5Credentials?> credentials, UdpService service, ListenerGate gate, ILogger logger)
    : AwaitingListener(listen, gate, logger)
{
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(30);

    private int _associations;

    protected override string Name => "socks5";

    protected override async ValueTask<Relay?> HandleAsync(TcpSocket socket, CancellationToken stop)
    {
        var protocol = new Socks5Protocol(socket, credentials());
        try
        {
            return await HandleAsync(socket, protocol, stop).ConfigureAwait(false);
        }
        finally
        {
            // Who has sent what he wanted to say to the target already is to read why that went nowhere.
            if (protocol.HasRefused)
                await LingeringClose.RunAsync(socket, stop).ConfigureAwait(false);
        }
    }

    private async ValueTask<Relay?> HandleAsync(TcpSocket socket, Socks5Protocol protocol, CancellationToken stop)
    {
        using Activity? accepted = TunnelActivities.Accept(Name);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(HandshakeTimeout);
        (Socks5Command command, Target target) = await protocol.AcceptAsync(limit.Token).ConfigureAwait(false);
        limit.CancelAfter(Timeout.InfiniteTimeSpan);
        accepted?.SetTarget(target);
        if (command != Socks5Command.UdpAssociate)
            return await ConnectAsync(socket, protocol, target, accepted, stop).ConfigureAwait(false);
        await AssociateAsync(socket, protocol, accepted, stop).ConfigureAwait(false);
        return null;
    }

    private async Task AssociateAsync(TcpSocket socket, Socks5Protocol protocol, Activity? accepted, CancellationToken stop)
    {
        try
        {
            if (Interlocked.Increment(ref _associations) > service.Limits().Associations)
            {
                service.Strikes?.Strike(LimitKind.MaxAssociations, "an association was refused");
                await protocol.ReplyAsync(Socks5Reply.GeneralFailure, stop).ConfigureAwait(false);
                return;
            }

            using var association = new Socks5Association(socket, service, Logger);
            await protocol.ReplyAsync(association.RelayEndPoint, stop).ConfigureAwait(false);
            accepted?.Stop();
            await association.RunAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _associations);
        }
    }

    private async ValueTask<Relay> ConnectAsync(TcpSocket socket, Socks5Protocol protocol, Target target, Activity? accepted, CancellationToken stop)
    {
        TunnelStream stream = await OpenAsync(socket, protocol, target, accepted, stop).ConfigureAwait(false);
        try
        {
            await protocol.ReplyAsync(Socks5Reply.Succeeded, stop).ConfigureAwait(false);
        }
        catch
        {
            stream.Close();
            throw;
        }

        accepted?.Stop();
        return new Relay(socket, stream, isClient: true);
    }

    private async ValueTask<TunnelStream> OpenAsync(
        TcpSocket socket, Socks5Protocol protocol, Target target, Activity? accepted, CancellationToken stop)
    {
        try
        {
            return await service.Opener.OpenAsync(target, socket, endIsLeaving: true, stop).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            accepted?.Fail(e);
            await protocol.ReplyAsync(ReplyFor(e), stop).ConfigureAwait(false);
            throw;
        }
    }

    // Dial results have the values of SOCKS5 replies.
    private static Socks5Reply ReplyFor(IOException e) => e switch
    {
        DialException { Result: not DialResult.Leaving } dial => (Socks5Reply)dial.Result,
        TunnelUnavailableException => Socks5Reply.NetworkUnreachable,
        _ => Socks5Reply.GeneralFailure,
    };
}
