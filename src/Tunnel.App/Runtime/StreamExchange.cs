using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>One question and its answer through a whole session, on a stream of its own.</summary>
internal static class StreamExchange
{
    /// <returns>The answer; null when the peer closed the stream instead, as stock peers do with what they do not know, or said something else.</returns>
    /// <exception cref="TimeoutException">Nothing came back in time.</exception>
    /// <exception cref="IOException">The session ended.</exception>
    public static async Task<StreamHeader?> RunAsync(PeerSession session, StreamHeader question, HeaderFormat format, TimeSpan timeout)
    {
        TunnelStream stream = session.OpenStream() ?? throw new IOException("the session takes no stream");
        // Closing is what ends a read that waits.
        bool expired = false;
        await using var timer = new Timer(
            _ =>
            {
                Volatile.Write(ref expired, true);
                stream.Close();
            },
            null,
            timeout,
            Timeout.InfiniteTimeSpan);
        try
        {
            StreamHeader? answer = await ExchangeAsync(stream, question, format).ConfigureAwait(false);
            return answer is null && Volatile.Read(ref expired) ? throw new TimeoutException(Silence(session, timeout)) : answer;
        }
        catch (IOException) when (Volatile.Read(ref expired))
        {
            throw new TimeoutException(Silence(session, timeout));
        }
        finally
        {
            stream.Close();
        }
    }

    private static string Silence(PeerSession session, TimeSpan timeout) =>
        $"{session.Peer} does not answer within {timeout.TotalSeconds:0.#} s (is the key the same, is the server running, does a firewall drop its port?)";

    private static async Task<StreamHeader?> ExchangeAsync(TunnelStream stream, StreamHeader question, HeaderFormat format)
    {
        await HeaderExchange.SendAsync(stream, question, format).ConfigureAwait(false);
        return (await HeaderExchange.ReceiveAsync(stream).ConfigureAwait(false))?.Header;
    }
}
