using Microsoft.Extensions.Logging;
using Tunnel.Links;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>What a session and a link did, as one log line each when they end.</summary>
public static partial class TrafficLog
{
    public static void SessionEnded(ILogger logger, PeerSession session)
    {
        Defect(logger, session);
        if (!logger.IsEnabled(LogLevel.Information))
            return;
        SessionStatus status = session.GetStatus();
        KcpCounters kcp = status.Kcp;
        LogSession(
            logger, session.Conv, session.Peer, session.CloseReason, kcp.SegmentsSent, kcp.FastRetransmits, kcp.EarlyRetransmits,
            kcp.TimeoutRetransmits, kcp.SegmentsReceived, kcp.Duplicates, status.Mtu);
    }

    /// <summary>The defect that ended a session, if one did.</summary>
    public static void Defect(ILogger logger, PeerSession session)
    {
        if (session.Defect is { } defect)
            LogDefect(logger, session.Conv, session.Peer, defect);
    }

    public static void LinkClosed(ILogger logger, LinkReceiver receiver)
    {
        if (!logger.IsEnabled(LogLevel.Information))
            return;
        LinkCounters c = receiver.Link.Counters;
        long guard = receiver.GetDrops(DropReason.Guard), cipher = receiver.GetDrops(DropReason.Cipher);
        LogLink(
            logger, receiver.Link.Name, c.PacketsIn, c.BytesIn, c.PacketsOut, c.BytesOut, c.SendErrors, c.KernelDrops, guard, cipher);
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "session {Conv:x8} with {Peer} ended: {Reason}; segments sent {Sent}, again {Fast} fast {Early} early {Timeout} timeout; "
            + "received {Received}, duplicates {Duplicates}; {Mtu}-byte datagrams")]
    private static partial void LogSession(
        ILogger logger, uint conv, Endpoint peer, CloseReason reason, long sent, long fast, long early, long timeout, long received, long duplicates, int mtu);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "link {Name} closed: packets in {PacketsIn} ({BytesIn} bytes), out {PacketsOut} ({BytesOut} bytes), "
            + "send errors {SendErrors}, kernel drops {KernelDrops}, dropped by guard {Guard}, by cipher {Cipher}")]
    private static partial void LogLink(
        ILogger logger, string name, long packetsIn, long bytesIn, long packetsOut, long bytesOut, long sendErrors, long kernelDrops, long guard, long cipher);

    [LoggerMessage(Level = LogLevel.Error, Message = "session {Conv:x8} with {Peer} was ended by a defect of this program")]
    private static partial void LogDefect(ILogger logger, uint conv, Endpoint peer, Exception defect);
}
