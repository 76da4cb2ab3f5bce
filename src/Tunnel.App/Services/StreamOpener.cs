using Tunnel.App.Runtime;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>Opens streams to targets through a client's sessions.</summary>
/// <param name="pool">The sessions.</param>
/// <param name="format">How the server reads headers; null where it dials one fixed target and knows none (kcptun).</param>
/// <param name="framing">How datagrams are told apart on streams to UDP targets.</param>
public sealed class StreamOpener(ConnectionPool pool, HeaderFormat? format, UdpFraming framing)
{
    /// <summary>How long a reply must be quiet before the local side's end is passed on; see <see cref="Relay"/>.</summary>
    public static readonly TimeSpan FinishLinger = TimeSpan.FromSeconds(3);

    /// <exception cref="TunnelUnavailableException">There is no session within the open timeout.</exception>
    /// <exception cref="TunnelClosedException">The session ended meanwhile.</exception>
    public async ValueTask<TunnelStream> OpenAsync(Target target, CancellationToken cancel)
    {
        TunnelStream stream = await pool.OpenStreamAsync(cancel).ConfigureAwait(false);
        if (format is { } known)
            await HeaderExchange.SendAsync(stream, new StreamHeader(StreamRequest.Tcp, target), known).ConfigureAwait(false);
        return stream;
    }

    /// <summary>Opens a stream of datagrams.</summary>
    /// <exception cref="TunnelUnavailableException">There is no session within the open timeout.</exception>
    /// <exception cref="TunnelClosedException">The session ended meanwhile.</exception>
    public async ValueTask<OpenedUdp> OpenUdpAsync(Target target, CancellationToken cancel)
    {
        TunnelStream stream = await pool.OpenStreamAsync(cancel).ConfigureAwait(false);
        framing.Begin(stream);
        await HeaderExchange.SendAsync(stream, new StreamHeader(StreamRequest.Udp, target), format ?? default).ConfigureAwait(false);
        return new OpenedUdp(stream, framing);
    }
}
