using System.Runtime.CompilerServices;
using Tunnel.Protocol.Primitives;

namespace Tunnel.Protocol.Kcp;

/// <summary>
/// What this end sends: segments that are lost, again, whole or in parts, and then new ones, filled by the user at the last moment; as many as
/// the windows, congestion and pacing allow.
/// </summary>
internal sealed class SegmentSender(int sendWindow, IOrderedByteUser user, SendWindow send, LossRecovery recovery, Pacing? pacing, PathLimit path)
{
    private const int DeadLinkTransmissions = 20;
    private const int InitialPeerWindow = 128;

    /// <summary>A segment sent so often and still not acknowledged may be too long for the path.</summary>
    private const int SuspiciousTransmissions = 3;

    /// <summary>New data shorter than this is not worth a segment of its own at the end of a datagram that is nearly full.</summary>
    private const int WorthwhileSpace = 256;

    /// <summary>What is sent twice, at most, of what leaves at once.</summary>
    private const int MostCopies = 32;

    /// <summary>Of a short tail every segment is sent once more; of a longer one the last, whose acknowledgement tells of the rest.</summary>
    private const int ShortTail = 4;

    private readonly uint[] _copies = new uint[MostCopies];
    private int _copyCount;
    private int _copied;
    private ulong _tail;
    private int _partOffset;
    private uint _inParts;
    private uint _windowFrom;
    private bool _knowsWindow;
    private SendCounters _counters;

    public SendCounters Counters => _counters;

    /// <summary>Segments that the peer can take (rmt_wnd).</summary>
    public int PeerWindow { get; private set; } = InitialPeerWindow;

    /// <summary>The peer takes segments in parts.</summary>
    public bool PeerTakesParts { get; set; }

    /// <summary>Segments that may be in flight now.</summary>
    public int Window => Math.Min(Math.Min(sendWindow, PeerWindow), recovery.CongestionLimit);

    /// <summary>When what waits for its turn may leave, in milliseconds; MaxValue when nothing does.</summary>
    public long PacedUntil { get; private set; } = long.MaxValue;

    /// <summary>When <see cref="CopyTail"/> is wanted, in milliseconds; MaxValue when nothing is under way that it would be for.</summary>
    public long TailAt { get; private set; } = long.MaxValue;

    /// <summary>Something is to be written once more.</summary>
    public bool HasCopies => _copied < _copyCount;

    /// <summary>There is room for a new segment, and something to put into it.</summary>
    public bool HasNew => HasRoom && user.HasOutput;

    private bool HasRoom => send.Count < Window && (pacing is null || send.BytesUnderWay < pacing.FlightLimit);

    /// <summary>Whether something lost would leave now.</summary>
    public bool CanSendLost(long now) => recovery.HasLost && MaySend(now);

    /// <summary>Whether something new would leave now.</summary>
    public bool CanSendNew(long now) => HasNew && MaySend(now);

    /// <summary>
    /// The peer tells its window. How old that is shows by what it has received: that never goes back, and for as long as it stays the peer's user can
    /// only have taken more. So an older datagram that comes late does not close a window that has opened since.
    /// </summary>
    /// <param name="unacknowledged">The first segment that the peer had not received then (una).</param>
    /// <param name="window">Segments from there on (wnd).</param>
    public void OnPeerWindow(uint unacknowledged, int window)
    {
        int ahead = (int)(unacknowledged - _windowFrom);
        if ((_knowsWindow && ahead < 0) || (int)(unacknowledged - send.Next) > 0)
            return;
        PeerWindow = _knowsWindow && ahead == 0 ? Math.Max(PeerWindow, window) : window;
        (_windowFrom, _knowsWindow) = (unacknowledged, true);
    }

    /// <summary>
    /// Writes once more what an earlier datagram sent while there was nothing new to send: the line has room, and whoever waits for it waits a round
    /// trip at least when it is lost. Not a transmission of its own; false while some of it wants another datagram.
    /// </summary>
    public bool TryWriteCopies(ref SegmentWriter writer, long now)
    {
        for (; _copied < _copyCount && MaySend(now); _copied++)
        {
            uint number = _copies[_copied];
            if (!send.Contains(number) || send[number].State != SendWindow.SlotState.InFlight)
                continue;
            if (writer.Room < KcpSegment.HeaderLength + send[number].Length)
                return false;
            writer.Write(KcpCommand.Push, send[number].CopyTimestamp, number, send.Data(number));
            pacing?.OnSent(send[number].Length);
            _counters.Copies++;
        }

        // What would have to wait for its turn is not worth it.
        _copied = _copyCount = 0;
        return true;
    }

    /// <summary>Writes what is lost; false while some of it wants another datagram.</summary>
    public bool TryWriteLost(ref SegmentWriter writer, long now)
    {
        while (recovery.TryPeekLost(out uint number) && MaySend(now))
        {
            if (recovery.IsLost(number) && !TryWriteAgain(ref writer, number, now))
                return false;
            _partOffset = 0;
            recovery.DropLost();
        }

        return true;
    }

    /// <summary>Writes what the user has to send; false while some of it wants another datagram.</summary>
    public bool TryWriteNew(ref SegmentWriter writer, long now)
    {
        while (CanSendNew(now))
        {
            int size = path.SegmentSize, space = Math.Min(writer.Room - KcpSegment.HeaderLength, size);
            if (space < Math.Min(WorthwhileSpace, size))
                return false;
            int length = user.Fill(send.Reserve(space));
            if (length == 0)
                break;
            if (send.Count == 0)
                recovery.OnRestart(now);
            Write(ref writer, send.Append(length), now);
        }

        return true;
    }

    /// <summary>With nothing new to send, what may be lost is sent again early; false while some of it wants another datagram.</summary>
    public bool TryWriteEarly(ref SegmentWriter writer, long now) =>
        user.HasOutput || !recovery.MarkEarly() || TryWriteLost(ref writer, now);

    /// <summary>Everything that may leave has left. Sees to it that what has to wait for its turn gets it; true while there is something.</summary>
    /// <param name="takesNew">New data does not wait for the interval.</param>
    /// <param name="now">Milliseconds.</param>
    public bool Pace(bool takesNew, long now)
    {
        if (pacing is null)
            return false;
        bool hasOutput = user.HasOutput;
        if (!hasOutput && !recovery.HasLost)
            pacing.OnIdle(recovery.Newest);
        if (hasOutput && send.BytesUnderWay >= pacing.FlightLimit)
            pacing.OnBound(recovery.Newest);
        bool waits = (recovery.HasLost || (hasOutput && takesNew && HasRoom)) && !pacing.Allows(now);
        PacedUntil = waits ? pacing.NextAt(now) : long.MaxValue;
        return waits;
    }

    /// <summary>
    /// Everything that may leave has left. Where something was lost lately, the end of it is sent once more when nothing follows: what follows would tell
    /// of its loss, and without that only its timeout does, a round trip and more (RFC 8985, section 7).
    /// </summary>
    public void WatchTail(long now)
    {
        if (send.Count == 0 || recovery.HasLost || user.HasOutput)
            TailAt = long.MaxValue;
        else if (recovery.Newest != _tail)
            (_tail, TailAt) = (recovery.Newest, recovery.TailAt(now));
    }

    /// <summary>Has the end of what was sent written once more, when it is due.</summary>
    public void CopyTail(long now)
    {
        if (now < TailAt)
            return;
        TailAt = long.MaxValue;
        for (uint number = send.Count > ShortTail ? send.Next - 1 : send.First; number != send.Next; number++)
        {
            // One too long for the path would keep all that comes after it.
            if (send[number].State != SendWindow.SlotState.InFlight || send[number].Length > path.SegmentSize || _copyCount == MostCopies)
                continue;
            recovery.OnCopied(number, now);
            _copies[_copyCount++] = number;
        }
    }

    private bool MaySend(long now) => pacing is null || pacing.Allows(now);

    /// <summary>False while it, or the rest of its parts, wants another datagram.</summary>
    private bool TryWriteAgain(ref SegmentWriter writer, uint number, long now)
    {
        if (send[number].Length > path.SegmentSize && PeerTakesParts)
        {
            if (!TryWriteParts(ref writer, number, now))
                return false;
            CountRetransmit(send[number], now);
            _counters.InParts++;
            MarkSent(number, now);
            return true;
        }

        if (writer.Room < KcpSegment.HeaderLength + send[number].Length)
            return false;
        CountRetransmit(send[number], now);
        // A timeout is as often a pause as a loss; and with a congestion window every loss is taken for want of room.
        bool isWorthACopy = send[number].State != SendWindow.SlotState.LostTimeout && recovery.IgnoresCongestion;
        Write(ref writer, number, now);
        if (isWorthACopy && !user.HasOutput && _copyCount < MostCopies)
            _copies[_copyCount++] = number;
        return true;
    }

    /// <summary>Writes as much of a segment that is too long as there is room for; true when that was the end of it.</summary>
    private bool TryWriteParts(ref SegmentWriter writer, uint number, long now)
    {
        ReadOnlySpan<byte> data = send.Data(number);
        // One with a lower number may have been lost meanwhile, and comes first; this one then begins anew.
        _partOffset = number == _inParts ? _partOffset : 0;
        _inParts = number;
        ReadOnlySpan<byte> rest = data[_partOffset..];
        int room = writer.Room - KcpSegment.HeaderLength - SegmentPart.HeaderLength;
        if (room < Math.Min(Math.Min(WorthwhileSpace, path.SegmentSize - SegmentPart.HeaderLength), rest.Length))
            return false;
        rest = rest[..Math.Min(room, rest.Length)];
        writer.TryWriteHeader(KcpCommand.Part, (uint)now, number, SegmentPart.HeaderLength + rest.Length);
        writer.Write(new SegmentPart(_partOffset, data.Length));
        writer.Write(rest);
        _partOffset += rest.Length;
        return _partOffset == data.Length;
    }

    // Inlined: a call for each segment that is sent shows in the benches.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Write(ref SegmentWriter writer, uint number, long now)
    {
        writer.Write(KcpCommand.Push, (uint)now, number, send.Data(number));
        MarkSent(number, now);
    }

    private void MarkSent(uint number, long now)
    {
        recovery.OnSent(number, now);
        _counters.Segments++;
    }

    private void CountRetransmit(in SendWindow.Slot slot, long now)
    {
        if (slot.State == SendWindow.SlotState.LostFast)
            _counters.Fast++;
        else if (slot.State == SendWindow.SlotState.LostEarly)
            _counters.Early++;
        else
            _counters.Timeout++;
        if (slot.Transmissions == DeadLinkTransmissions)
            _counters.DeadLink++;
        if (slot.Transmissions >= SuspiciousTransmissions)
            path.Suspect(now);
    }
}
