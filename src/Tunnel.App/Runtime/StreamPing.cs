using System.Diagnostics;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>One round trip through a whole session: a stream is opened, PING goes out, PONG comes back.</summary>
public static class StreamPing
{
    /// <returns>How long it took.</returns>
    /// <exception cref="TimeoutException">Nothing came back in time.</exception>
    /// <exception cref="IOException">The session ended, or the peer answered something else.</exception>
    public static async Task<TimeSpan> RunAsync(PeerSession session, TimeSpan timeout)
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
            await ExchangeAsync(stream).ConfigureAwait(false);
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

    private static async Task ExchangeAsync(TunnelStream stream)
    {
        byte[] buffer = new byte[StreamHeader.MaximumLength];
        int length = new StreamHeader(StreamRequest.Ping).Write(buffer);
        await stream.WriteAsync(buffer.AsMemory(0, length)).ConfigureAwait(false);
        int have = 0;
        while (true)
        {
            int count = await stream.ReadAsync(buffer.AsMemory(have)).ConfigureAwait(false);
            if (count == 0)
                throw new IOException("the server closed the stream instead of answering PING");
            have += count;
            HeaderStatus status = StreamHeader.TryRead(buffer.AsSpan(0, have), out StreamHeader? header, out _);
            if (status == HeaderStatus.Complete && header!.Request == StreamRequest.Pong)
                return;
            if (status != HeaderStatus.Incomplete)
                throw new IOException("the server answered PING with something else");
        }
    }

    private sealed class StrongBox
    {
        public volatile bool Value;
    }
}
