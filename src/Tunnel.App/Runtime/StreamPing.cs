using System.Diagnostics;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>One round trip through a whole session: a stream is opened, PING goes out, PONG comes back.</summary>
public static class StreamPing
{
    /// <returns>How long it took.</returns>
    /// <exception cref="TimeoutException">Nothing came back in time.</exception>
    /// <exception cref="IOException">The session ended, or the peer answered something else.</exception>
    public static async Task<TimeSpan> RunAsync(PeerSession session, HeaderFormat format, TimeSpan timeout)
    {
        long start = Stopwatch.GetTimestamp();
        TunnelStream stream = session.OpenStream() ?? throw new IOException("the session takes no stream");
        // Closing is what ends a read that waits.
        var expired = new StrongBox();
        await using var timer = new Timer(
            _ =>
            {
                expired.Value = true;
                stream.Close();
            },
            null,
            timeout,
            Timeout.InfiniteTimeSpan);
        try
        {
            await ExchangeAsync(stream, format).ConfigureAwait(false);
            return Stopwatch.GetElapsedTime(start);
        }
        catch (IOException e) when (expired.Value)
        {
            throw new TimeoutException(
                $"{session.Peer} does not answer within {timeout.TotalSeconds:0.#} s (is the key the same, is the server running, does a firewall drop its port?)", e);
        }
        finally
        {
            stream.Close();
        }
    }

    private static async Task ExchangeAsync(TunnelStream stream, HeaderFormat format)
    {
        await HeaderExchange.SendAsync(stream, new StreamHeader(StreamRequest.Ping), format).ConfigureAwait(false);
        ReceivedHeader? answer = await HeaderExchange.ReceiveAsync(stream).ConfigureAwait(false);
        if (answer is null)
            throw new IOException($"the server does not answer PING (does it speak another transport.header than \"{format.ToString().ToLowerInvariant()}\"?)");
        if (answer.Header.Request != StreamRequest.Pong)
            throw new IOException("the server answered PING with something else");
    }

    private sealed class StrongBox
    {
        public volatile bool Value;
    }
}
