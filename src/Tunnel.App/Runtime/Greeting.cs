using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>What a client says first on a session; the server has to answer before it carries anything.</summary>
internal static class Greeting
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>While somebody waits for a session: a try that fails must not be what a server that comes back has to wait for.</summary>
    private static readonly TimeSpan ShortTimeout = TimeSpan.FromSeconds(2);

    /// <param name="session">It has just begun.</param>
    /// <param name="options">What is said.</param>
    /// <param name="isWanted">Somebody waits for the session.</param>
    /// <exception cref="TimeoutException">The server did not answer in time.</exception>
    /// <exception cref="IOException">The session ended, or the server answered something else.</exception>
    public static async Task RunAsync(PeerSession session, ClientConnectionOptions options, bool isWanted)
    {
        if (options.Ping)
            await IntroduceAsync(session, options.Header, isWanted ? ShortTimeout : Timeout).ConfigureAwait(false);
        if (options.AnnouncedFlags.Length != 0)
            await AnnounceFlagsAsync(session, options).ConfigureAwait(false);
    }

    /// <summary>
    /// Asks for the peer's capabilities. A stock peer closes that stream, which shows that it is there; PING then shows that it
    /// speaks the same stream header.
    /// </summary>
    private static async Task IntroduceAsync(PeerSession session, HeaderFormat header, TimeSpan timeout)
    {
        if (header != HeaderFormat.V1)
            // A peer that does not know this format may wait for more of it, so nothing waits for the peer. A server of ours answers
            // this before PING, as it came before.
            _ = TryLearnAsync(session, timeout);
        else if (await CapabilityExchange.RunAsync(session, timeout).ConfigureAwait(false))
            return;
        await StreamPing.RunAsync(session, header, timeout).ConfigureAwait(false);
    }

    private static async Task TryLearnAsync(PeerSession session, TimeSpan timeout)
    {
        try
        {
            await CapabilityExchange.RunAsync(session, timeout).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            // Whether the peer is there is PING's to find out.
        }
    }

    private static async Task AnnounceFlagsAsync(PeerSession session, ClientConnectionOptions options)
    {
        if (session.OpenStream() is not { } stream)
            return;
        var header = new StreamHeader(StreamRequest.Flags, default, options.AnnouncedFlags);
        await HeaderExchange.SendAsync(stream, header, options.Header).ConfigureAwait(false);
        stream.Release();
    }
}
