using Tunnel.Protocol.Primitives;

namespace Tunnel.Protocol.Kcp;

/// <summary>
/// The ARQ engine of one conversation, compatible with kcp-go. Inputs: <see cref="Receive"/>, <see cref="Advance"/>. Output:
/// <see cref="Transmit"/>, to be drained after every input. Time is <see cref="Deadline"/>. Nothing here costs more for a larger
/// window, allocates in the steady state, or throws for what a peer sent.
/// </summary>
/// <remarks>
/// KCP's names: una is the lowest unacknowledged segment, wnd (rmt_wnd) the peer's free window, sn a segment's number, ts a
/// millisecond timestamp, rto the retransmission timeout. Where KCP counts, for every segment in flight, the acknowledgements that
/// passed it by (fastack), this engine keeps the transmissions in order and remembers the newest acknowledged ones, which tells the
/// same without a walk.
/// </remarks>
public sealed class KcpEngine
{
    /// <summary>The longest datagram that a kcp-go peer can send.</summary>
    public const int MaximumDatagram = 1500;

    /// <summary>The longest datagram between two ends of ours: a jumbo frame. No segment's data is longer.</summary>
    public const int LargestDatagram = 9216;

    private readonly IOrderedByteUser _user;
    private readonly SendWindow _send;
    private readonly LossRecovery _recovery;
    private readonly SegmentSender _sender;
    private readonly SegmentReceiver _receiver;
    private readonly PathLimit _path;
    private readonly Pacing? _pacing;
    private readonly int _ackBatch;
    private FlushTicks _ticks;
    private WindowProbe _probe = new();
    private long _malformed;
    private long _windowTells;

    /// <param name="options">Valid knobs.</param>
    /// <param name="conv">The conversation's number; both ends use the same.</param>
    /// <param name="user">What sits on top.</param>
    /// <param name="firstNumber">The first segment's number: 0 on the wire; another only to test wrap-around.</param>
    public KcpEngine(KcpOptions options, uint conv, IOrderedByteUser user, uint firstNumber = 0)
    {
        _user = user;
        Conv = conv;
        _path = new PathLimit(options.Mtu);
        _pacing = options.NoCongestion && options.Pacing ? new Pacing(options.SegmentSize) : null;
        _send = new SendWindow(options.SegmentSize, firstNumber);
        _recovery = new LossRecovery(options, _send, _pacing);
        _sender = new SegmentSender(options.SendWindow, user, _send, _recovery, _pacing, _path);
        _receiver = new SegmentReceiver(options, user, firstNumber);
        _ticks = new FlushTicks(options.Interval, options.WriteDelay);
        _ackBatch = options.AckNoDelay ? 1 : Math.Max(1, options.Mtu / KcpSegment.HeaderLength);
    }

    public uint Conv { get; }

    public KcpCounters Counters
    {
        get
        {
            SendCounters sent = _sender.Counters;
            return new KcpCounters
            {
                SegmentsSent = sent.Segments,
                FastRetransmits = sent.Fast,
                EarlyRetransmits = sent.Early,
                TimeoutRetransmits = sent.Timeout,
                Copies = sent.Copies,
                DeadLinkSegments = sent.DeadLink,
                SegmentsInParts = sent.InParts,
                SegmentsReceived = _receiver.Received,
                Duplicates = _receiver.Duplicates,
                OutOfWindow = _receiver.OutOfWindow,
                Malformed = _malformed,
                WindowTells = _windowTells,
                PathProbes = _path.Probes,
                PathBlackHoles = _path.BlackHoles,
            };
        }
    }

    /// <summary>Bytes that one datagram's segments take at most now.</summary>
    public int Mtu => _path.Mtu;

    /// <summary>The length of the probe that <see cref="TransmitProbe"/> would write; 0 when none is due.</summary>
    public int ProbeLength => _path.ProbeLength;

    /// <summary>Milliseconds; 0 until the first sample.</summary>
    public int SmoothedRoundTrip => _recovery.SmoothedRoundTrip;

    /// <summary>Milliseconds.</summary>
    public int RetransmissionTimeout => _recovery.Timeout;

    /// <summary>Every round trip that was measured, in milliseconds.</summary>
    public Histogram RoundTrips => _recovery.RoundTrips;

    /// <summary>The retransmission timeout after each of them, in milliseconds.</summary>
    public Histogram Timeouts => _recovery.Timeouts;

    /// <summary>Segments that the peer can take.</summary>
    public int RemoteWindow => _sender.PeerWindow;

    /// <summary>Segments that may be in flight now.</summary>
    public int Window => _sender.Window;

    /// <summary>Bytes of data a second that may leave; 0 while what leaves is not paced.</summary>
    public long PacingRate => _pacing?.BytesPerSecond ?? 0;

    /// <summary>Segments sent and not acknowledged.</summary>
    public int InFlight => _send.Count;

    public int BytesInFlight => _send.BytesInFlight;

    /// <summary>When the peer last acknowledged something, or there began to be something to acknowledge; in milliseconds.</summary>
    public long HeardAt => _recovery.HeardAt;

    /// <summary>When the peer last said that it has more in order than before, in milliseconds; 0 for not yet.</summary>
    public long ConfirmedAt { get; private set; }

    /// <summary>Segments that this end can take.</summary>
    public int LocalWindow => _receiver.Free;

    /// <summary>In-order segments that the user has not taken.</summary>
    public int WaitingForUser => _receiver.Waiting;

    public int MemoryUse => _send.MemoryUse + _receiver.MemoryUse;

    /// <summary>
    /// The peer has echoed a transmission of this end: it is there, has the same key, and is where its datagrams say it is. Whoever
    /// only repeats what a peer once said cannot know when this end sends.
    /// </summary>
    public bool PeerAnswered { get; private set; }

    /// <summary>The peer is there but does not know this conversation any more.</summary>
    public bool PeerForgot { get; private set; }

    /// <summary>The peer takes segments in parts.</summary>
    public bool PeerTakesParts
    {
        get => _sender.PeerTakesParts;
        set => _sender.PeerTakesParts = value;
    }

    /// <summary>Segments that the peer is told it may send, at most, from now on; what it was told before is still taken.</summary>
    public int GrantedWindow
    {
        get => _receiver.GrantedWindow;
        set => _receiver.GrantedWindow = value;
    }

    /// <summary>When <see cref="Advance"/> is wanted, in milliseconds; MaxValue when nothing is under way.</summary>
    public long Deadline =>
        Math.Min(Math.Min(_ticks.Deadline, _path.Deadline), Math.Min(Math.Min(_probe.Deadline, _sender.PacedUntil), Math.Min(_sender.TailAt, _recovery.TimeoutsAt)));

    /// <summary>Takes one datagram's payload: one or more segments.</summary>
    /// <param name="payload">What the cipher opened.</param>
    /// <param name="now">Milliseconds.</param>
    /// <param name="regular">False for a packet rebuilt from parity: it says nothing about the peer's window or the round trip.</param>
    /// <returns>False when a segment was malformed; what came before it counts.</returns>
    public bool Receive(ReadOnlySpan<byte> payload, long now, bool regular = true)
    {
        _ticks.EndTick(now);
        var acks = new AckSummary();
        long tells = _windowTells;
        bool wellFormed = Parse(payload, ref acks, regular, now);
        Account(ref acks, regular, now);
        if (_windowTells != tells && _recovery.OnWindowTold(now))
            _ticks.MakeDataDue();
        if (!wellFormed)
            _malformed++;
        return wellFormed;
    }

    /// <summary>Offers the user again what it had no room for.</summary>
    public void DeliverWaiting()
    {
        bool wasFull = _receiver.Free == 0;
        _receiver.Deliver();

        // The peer believes that there is no room; it would otherwise find out only by its next probe.
        if (wasFull && _receiver.Free != 0)
            _probe.Tell();
    }

    /// <summary>
    /// This end was held up until <paramref name="now"/> (milliseconds): that nobody was heard meanwhile does not mean that something was lost.
    /// Before <see cref="Advance"/>.
    /// </summary>
    public void Excuse(long now) => _recovery.Excuse(now);

    /// <summary>Lets what is due at <paramref name="now"/> (milliseconds) happen.</summary>
    public void Advance(long now)
    {
        _ticks.EndTick(now);
        _ticks.Advance(now);
        if (_recovery.AsksFirst(now))
            _probe.Ask();
        else if (_recovery.ExpireTimeouts(now))
            _ticks.MakeDataDue();
        _sender.CopyTail(now);
        _probe.Advance(now);
        if (now < _path.Deadline)
            return;
        _path.Advance(now);
        FollowPath();
    }

    /// <summary>
    /// The peer answers probes and takes segments in parts: datagrams are at most <paramref name="safe"/> bytes from now on, and longer
    /// as probes show that they pass.
    /// </summary>
    /// <param name="safe">Every path carries it.</param>
    /// <param name="largest">The link takes no more.</param>
    /// <param name="now">Milliseconds.</param>
    public void ProbePath(int safe, int largest, long now)
    {
        _path.Begin(safe, largest, now);
        FollowPath();
    }

    /// <summary>
    /// The link takes no datagram longer than this. False when segments are in flight that have become too long for ever: the
    /// conversation cannot go on.
    /// </summary>
    public bool TryLimit(int largest, long now)
    {
        _path.Limit(largest, now);
        FollowPath();
        return PeerTakesParts || _send.LongestInFlight <= _path.SegmentSize;
    }

    /// <summary>The way to the peer is another one: what passed before may not any more.</summary>
    public void RecheckPath(long now)
    {
        _pacing?.Forget(_recovery.Newest);
        _path.Recheck(now);
    }

    /// <summary>
    /// Writes one datagram's segments: acknowledgements, window probes, what was lost, what is new. Returns its length; 0 when there
    /// is nothing (more) to send now, or what there is does not fit in <paramref name="destination"/>.
    /// </summary>
    /// <param name="destination">At most <see cref="Mtu"/> of it is used.</param>
    /// <param name="now">Milliseconds.</param>
    public int Transmit(Span<byte> destination, long now)
    {
        var writer = new SegmentWriter(destination[..Math.Min(destination.Length, Mtu)], Conv, _receiver);
        _ticks.EndTick(now);
        ArmTick(now);
        _ticks.Advance(now);
        bool drained = TryWriteAcks(ref writer, now)
            && (!_probe.IsDue || _probe.TryWrite(ref writer))
            && (!_path.HasAnswers || _path.TryWriteAnswers(ref writer))
            && _sender.TryWriteCopies(ref writer, now)
            && _sender.TryWriteLost(ref writer, now)
            && (!_ticks.DataDue || _sender.TryWriteNew(ref writer, now))
            && _sender.TryWriteEarly(ref writer, now);
        if (writer.Written != 0)
            _ticks.OnFlush(now);
        if (drained)
            Rest(now);
        return writer.Written;
    }

    /// <summary>Writes the probe that is due into a destination of exactly its length.</summary>
    public void TransmitProbe(Span<byte> destination, long now)
    {
        // What lay in the buffer before is somebody else's.
        destination.Clear();
        var writer = new SegmentWriter(destination, Conv, _receiver);
        _path.WriteProbe(ref writer, 2 * _recovery.Timeout, now);
    }

    /// <summary>
    /// Asks the peer for its window with the next transmission: the one question that every KCP end answers without a word to what
    /// sits on top of it. <see cref="KcpCounters.WindowTells"/> counts the answers.
    /// </summary>
    public void AskWindow() => _probe.Ask();

    /// <summary>
    /// Gives memory back that the conversation did not need since the last call. Allowed within <see cref="IOrderedByteUser.TryDeliver"/>.
    /// </summary>
    public void Trim()
    {
        _send.Trim();
        _receiver.Trim();
    }

    /// <summary>Gives all memory back that nothing is in. Allowed within <see cref="IOrderedByteUser.TryDeliver"/>.</summary>
    public void Reclaim()
    {
        _send.Reclaim();
        _receiver.Reclaim();
    }

    private bool Parse(ReadOnlySpan<byte> payload, ref AckSummary acks, bool regular, long now)
    {
        if (payload.Length < KcpSegment.HeaderLength)
            return false;
        while (KcpSegment.TryRead(payload, out KcpSegment segment))
        {
            payload = payload[KcpSegment.HeaderLength..];
            if (segment.Conv != Conv || segment.Length > (uint)payload.Length || segment.Length > LargestDatagram)
                return false;
            if (segment.Command == KcpCommand.Unknown)
                return OnUnknown(segment);
            if (segment.Command is < KcpCommand.Push or > KcpCommand.Part)
                return false;
            if (regular)
                _sender.OnPeerWindow(segment.Unacknowledged, segment.Window);
            if (segment.Command == KcpCommand.Ack)
                acks.OnAck(segment, _send);
            acks.OnUnacknowledged(segment.Unacknowledged, _send);
            if (segment.Command == KcpCommand.Push)
                _receiver.OnPush(segment, payload[..(int)segment.Length]);
            else if (segment.Command == KcpCommand.WindowAsk)
                _probe.Tell();
            else if (segment.Command == KcpCommand.WindowTell)
                _windowTells++;
            else if (segment.Command > KcpCommand.Unknown && !OnOurs(segment, payload[..(int)segment.Length], now))
                return false;
            payload = payload[(int)segment.Length..];
        }

        return payload.IsEmpty;
    }

    /// <summary>
    /// The peer says that it knows no such conversation. Believed only if it echoes a transmission that is in flight now: whoever
    /// replays an old answer, or has not seen this conversation, cannot end it.
    /// </summary>
    private bool OnUnknown(in KcpSegment answer)
    {
        if (!_send.Contains(answer.Number) || !_send[answer.Number].IsEchoedBy(answer.Timestamp))
            return false;
        PeerForgot |= _send[answer.Number].State != SendWindow.SlotState.Acknowledged;
        return true;
    }

    /// <summary>What only ends of ours say.</summary>
    private bool OnOurs(in KcpSegment segment, ReadOnlySpan<byte> data, long now)
    {
        switch (segment.Command)
        {
            case KcpCommand.PathProbe when segment.Number == KcpSegment.HeaderLength + segment.Length:
                _path.OnProbe(segment);
                return true;
            case KcpCommand.PathAnswer:
                _path.OnAnswer(segment, now);
                FollowPath();
                return true;
            case KcpCommand.Part:
                return _receiver.OnPart(segment, data);
            default:
                return false;
        }
    }

    private void Account(ref AckSummary acks, bool regular, long now)
    {
        acks.Advance(_send);
        PeerAnswered |= acks.EchoesTransmission;
        if (acks.Confirms)
            ConfirmedAt = now;
        if (RemoteWindow != 0)
            _probe.End();
        if (_recovery.OnAcknowledged(acks, regular, RemoteWindow, now))
        {
            _ticks.MakeAcksDue();
            _ticks.MakeDataDue();
        }

        if (_receiver.AckCount >= _ackBatch)
            _ticks.MakeAcksDue();
    }

    private void FollowPath()
    {
        if (_path.Follow() && PeerTakesParts)
            _recovery.LoseLongerThan(_path.SegmentSize);
    }

    private bool TryWriteAcks(ref SegmentWriter writer, long now)
    {
        // What may wait goes along for nothing when something else leaves anyway.
        if (!_ticks.AcksDue && !_probe.IsDue && !_sender.HasCopies && !_sender.CanSendLost(now) && !(_ticks.DataDue && _sender.CanSendNew(now)))
            return true;
        if (!_receiver.TryWriteAcks(ref writer))
            return false;
        _ticks.OnAcksSent();
        return true;
    }

    /// <summary>Everything that may leave has left: say when the rest is wanted.</summary>
    private void Rest(long now)
    {
        _ticks.OnDrained(_sender.Pace(_ticks.DataDue, now), now);
        _sender.WatchTail(now);
        if (RemoteWindow == 0 && _user.HasOutput)
            _probe.Begin(now);
        ArmTick(now);
    }

    private void ArmTick(long now)
    {
        bool ackWaits = _receiver.AckCount != 0 && !_ticks.AcksDue;
        bool dataWaits = !_ticks.DataDue && _user.HasOutput && _send.Count < Window;
        if (ackWaits || dataWaits)
            _ticks.Arm(now);
    }
}
