using Microsoft.Extensions.Logging;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>
/// A line for each datagram that comes, goes or is dropped, at level trace, which is for looking on: nothing limits them but the console's
/// queue, which drops lines when it is full. Lengths are those behind the headers of IP and UDP or TCP, the guard's prefix included. One a
/// process; thread-safe.
/// </summary>
/// <param name="logger">Where they go.</param>
public sealed partial class DatagramLog(ILogger logger)
{
    private readonly RateLimitedLog _defects = new(logger, "frames that met a defect");

    /// <summary>
    /// Somebody reads it. A field of ours, so that a packet costs a look at it and no call of the logger; whoever changes the level says so
    /// (<see cref="Refresh"/>).
    /// </summary>
    public bool IsRead { get; private set; } = logger.IsEnabled(LogLevel.Trace);

    /// <summary>The level may have changed.</summary>
    public void Refresh() => IsRead = logger.IsEnabled(LogLevel.Trace);

    /// <summary>One that was used.</summary>
    public void Received(int length, string link, in Endpoint peer) => LogReceived(logger, length, link, peer);

    /// <summary>A run of them, each as long as the first but for the last; whatever the kernel makes of them.</summary>
    /// <param name="length">Of all.</param>
    /// <param name="stride">From one's beginning to the next one's.</param>
    /// <param name="headroom">Of that, in front of each what is no datagram.</param>
    /// <param name="link">By which they leave.</param>
    /// <param name="peer">To whom.</param>
    public void Sent(int length, int stride, int headroom, string link, in Endpoint peer)
    {
        for (int rest = length; rest > headroom; rest -= stride)
        {
            int one = Math.Min(rest, stride) - headroom;
            LogSent(logger, one, link, peer);
        }
    }

    public void Dropped(DropReason reason, int length, string link, in Endpoint peer) => LogDropped(logger, length, link, peer, reason);

    /// <summary>A frame that could not be taken apart, so nobody knows whose it is.</summary>
    public void Dropped(int length, string link) => LogOtherFrame(logger, length, link);

    /// <summary>At any level and not often: a frame that came upon a defect of this program's, which cost nothing but the frame.</summary>
    public void Met(Exception defect, int length, string link)
    {
        if (_defects.Admits())
            LogDefect(logger, length, link, defect);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "a defect dropped a frame of {Length} bytes at link {Link}")]
    private static partial void LogDefect(ILogger logger, int length, string link, Exception defect);

    [LoggerMessage(Level = LogLevel.Trace, SkipEnabledCheck = true, Message = "received {Length} bytes at link {Link} from {Peer}")]
    private static partial void LogReceived(ILogger logger, int length, string link, Endpoint peer);

    [LoggerMessage(Level = LogLevel.Trace, SkipEnabledCheck = true, Message = "sent {Length} bytes by link {Link} to {Peer}")]
    private static partial void LogSent(ILogger logger, int length, string link, Endpoint peer);

    [LoggerMessage(Level = LogLevel.Trace, SkipEnabledCheck = true, Message = "dropped {Length} bytes at link {Link} from {Peer}: {Reason}")]
    private static partial void LogDropped(ILogger logger, int length, string link, Endpoint peer, DropReason reason);

    [LoggerMessage(Level = LogLevel.Trace, SkipEnabledCheck = true, Message = "dropped a frame of {Length} bytes at link {Link}: Frame")]
    private static partial void LogOtherFrame(ILogger logger, int length, string link);
}
