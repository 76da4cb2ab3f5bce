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
        StreamHeader? answer =
            await StreamExchange.RunAsync(session, new StreamHeader(StreamRequest.Ping), format, timeout).ConfigureAwait(false);
        return answer?.Request == StreamRequest.Pong
            ? Stopwatch.GetElapsedTime(start)
            : throw new IOException("the server did not answer PING with PONG: does it speak another transport.header?");
    }
}
