using Microsoft.Extensions.Logging;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>
/// A line for each datagram that was not used, at level trace, which is for looking on: nothing limits them but the console's queue, which
/// drops lines when it is full. One receive thread's.
/// </summary>
/// <param name="logger">Where they go.</param>
/// <param name="link">The name of the link that they came by.</param>
public sealed partial class DropLog(ILogger logger, string link)
{
    /// <summary>Whether anybody reads it, as this batch has found; null until something is dropped in it.</summary>
    private bool? _isRead;

    public void Add(DropReason reason, in Endpoint peer, int length)
    {
        if (IsRead())
            LogDropped(logger, length, link, peer, reason);
    }

    /// <summary>A frame that could not be taken apart, so nobody knows whose it is.</summary>
    public void Add(int length)
    {
        if (IsRead())
            LogOtherFrame(logger, length, link);
    }

    /// <summary>The level may have changed by the next batch.</summary>
    public void OnBatchEnd() => _isRead = null;

    /// <summary>The logger is asked once a batch, and only where something is dropped: a flood of strangers costs no more for this.</summary>
    private bool IsRead() => _isRead ??= logger.IsEnabled(LogLevel.Trace);

    [LoggerMessage(Level = LogLevel.Trace, SkipEnabledCheck = true, Message = "dropped {Length} bytes at link {Link} from {Peer}: {Reason}")]
    private static partial void LogDropped(ILogger logger, int length, string link, Endpoint peer, DropReason reason);

    [LoggerMessage(Level = LogLevel.Trace, SkipEnabledCheck = true, Message = "dropped a frame of {Length} bytes at link {Link}: Frame")]
    private static partial void LogOtherFrame(ILogger logger, int length, string link);
}
