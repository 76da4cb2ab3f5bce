using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>
/// What an end says before it goes, each on a stream of its own and only to a peer that understands it. Nobody answers, so that it is on its way is
/// all that can be had.
/// </summary>
internal static class Farewell
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(200);

    /// <summary>For what is on its way: time to send it again more than once.</summary>
    private static readonly TimeSpan LongestTail = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);

    /// <summary>Says that this end takes no new streams; the session goes on.</summary>
    public static Task DrainAsync(PeerSession session) =>
        session.PeerCapabilities.HasFlag(Capabilities.Drain) ? TellAsync(session, StreamRequest.Draining) : Task.CompletedTask;

    /// <summary>
    /// Ends the session, and says so. A session whose last stream has ended may have bytes of it on their way, which nobody would send again after that.
    /// </summary>
    public static async Task LeaveAsync(PeerSession session)
    {
        if (!session.HasUnfinishedStreams)
            await SettleAsync(session).ConfigureAwait(false);
        if (session.PeerCapabilities.HasFlag(Capabilities.Goodbye))
            await TellAsync(session, StreamRequest.Goodbye).ConfigureAwait(false);
        session.Close(CloseReason.Local);
    }

    /// <summary>Until all is acknowledged, or the peer has had time enough.</summary>
    private static async Task SettleAsync(PeerSession session)
    {
        long giveUpAt = Environment.TickCount64 + (long)LongestTail.TotalMilliseconds;
        while (!session.IsClosed && session.GetStatus().InFlight != 0 && Environment.TickCount64 < giveUpAt)
            await Task.Delay(Step).ConfigureAwait(false);
    }

    private static async Task TellAsync(PeerSession session, StreamRequest what)
    {
        if (session.OpenStream() is not { } stream)
            return;
        Task sent = HeaderExchange.SendAsync(stream, new StreamHeader(what), HeaderFormat.V1).AsTask();
        await Task.WhenAny(sent, Task.Delay(Timeout)).ConfigureAwait(false);
        stream.Release();
    }
}
