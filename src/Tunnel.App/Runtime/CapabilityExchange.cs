using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>Says what this end can do and asks what the server can.</summary>
public static class CapabilityExchange
{
    /// <returns>Whether it answered; a stock peer closes the stream instead, and nothing beyond its format is used.</returns>
    /// <exception cref="TimeoutException">Nothing came back in time.</exception>
    /// <exception cref="IOException">The session ended.</exception>
    public static async Task<bool> RunAsync(PeerSession session, TimeSpan timeout)
    {
        // The question is the same whatever the streams' format: the others have no word for it.
        var question = new StreamHeader(StreamRequest.Capabilities, Capabilities: session.OwnCapabilities);
        StreamHeader? answer = await StreamExchange.RunAsync(session, question, HeaderFormat.V1, timeout).ConfigureAwait(false);
        if (answer?.Request != StreamRequest.Capabilities)
            return false;
        session.Announced(answer.Capabilities);
        return true;
    }
}
