using System.Net;
using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>A port of the server whose connections all go to a client, which dials their target.</summary>
internal sealed class ReverseTcpListener(IPEndPoint listen, ReverseListening listening, ListenerGate gate, ILogger logger)
    : AwaitingListener(listen, gate, logger)
{
    /// <summary>What both kinds are called in logs.</summary>
    public const string LogName = "reverse";

    /// <summary>Longer than any client's dial takes.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromMinutes(6);

    protected override string Name => LogName;

    protected override async ValueTask<Relay?> HandleAsync(TcpSocket socket, CancellationToken stop)
    {
        TunnelStream stream;
        try
        {
            using var waiting = new OpeningWatch(socket, endIsLeaving: false, stop);
            stream = await DialAsync(socket.RemoteEndPoint ?? throw new IOException("the connection has gone"), waiting.Over).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // There is no error to say but a reset.
            socket.Reset();
            throw;
        }

        return new Relay(socket, stream, isClient: true);
    }

    private async Task<TunnelStream> DialAsync(IPEndPoint peer, CancellationToken stop)
    {
        while (true)
        {
            if (await TryDialAsync(peer, stop).ConfigureAwait(false) is { } stream)
                return stream;
        }
    }

    /// <summary>Null when the session ended or was given up: nothing of the connection has been sent, so another will do.</summary>
    /// <exception cref="IOException">The client has gone, or could not connect to the target.</exception>
    private async Task<TunnelStream?> TryDialAsync(IPEndPoint peer, CancellationToken stop)
    {
        ReverseStream opened = default;
        try
        {
            opened = await listening.OpenAsync(peer, stop).ConfigureAwait(false);
            await AwaitResultAsync(opened.Stream, opened.Expelled, stop).ConfigureAwait(false);
            return opened.Stream;
        }
        catch (TunnelClosedException)
        {
            return null;
        }
        catch (IOException) when (opened.Expelled.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            return null;
        }
        catch
        {
            opened.Stream?.Close();
            throw;
        }
    }

    private static async Task AwaitResultAsync(TunnelStream stream, CancellationToken expelled, CancellationToken stop)
    {
        // Closing is what ends a read that waits.
        using CancellationTokenRegistration stopped = stop.Register(stream.Close);
        using CancellationTokenRegistration given = expelled.Register(stream.Close);
        await using var timer = new Timer(s => ((TunnelStream)s!).Close(), stream, AnswerTimeout, Timeout.InfiniteTimeSpan);
        byte? answer = await HeaderExchange.ReceiveByteAsync(stream).ConfigureAwait(false);
        if (answer != (byte)DialResult.Connected)
            throw new IOException($"the client could not connect to the target: {(answer is { } said ? (DialResult)said : DialResult.Failed)}");
    }
}
