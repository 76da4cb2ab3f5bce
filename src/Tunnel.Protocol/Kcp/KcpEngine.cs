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

    private const int DeadLinkTransmissions = 20;
    private const int SilenceProbes = 4;
    private const int ProbeInitial = 500;
    private const int InitialRemoteWindow = 128;
    private const int ProbeLimit = 120_000;
    private const int MaximumPendingAcks = 1 << 17;
    private const int MaximumPendingAnswers = 4;
    private const int RecentAcks = 64;

    /// <summary>A segment sent so often and still not acknowledged may be too long for the path.</summary>
    private const int SuspiciousTransmissions = 3;

    /// <summary>New data shorter than this is not worth a segment of its own at the end of a datagram that is nearly full.</summary>
    private const int WorthwhileSpace = 256;

    private readonly KcpOptions _options;
    private readonly IOrderedByteUser _user;
    private readonly SendWindow _send;
    private readonly ReceiveWindow _receive;
    private readonly Queue<uint> _lost = new();
    private readonly PassedByMarks _passed;
    private readonly int _ackBatch;
    private readonly PathMtu _path = new();
    private readonly PartAssembly _parts = new();
    private readonly (uint Length, uint Stamp)[] _answers = new (uint, uint)[MaximumPendingAnswers];
    private int _answerCount;
    private int _partOffset;
    private int _largest = int.MaxValue;
    private (uint Number, uint Timestamp)[] _acks = new (uint, uint)[16];
    private int _ackCount;
    private int _ackSent;
    private RoundTripEstimator _roundTrip;
    private CongestionWindow _congestion;
    private readonly Pacing? _pacing;
    private long _pacedUntil = long.MaxValue;
    private KcpCounters _counters;
    private ulong _order;
    private ulong _silenceProbe;
    private uint _silenceProbedAt;
    private int _remoteWindow;
    private bool _ackDue;
    private bool _dataDue;
    private long _dataDueUntil = long.MaxValue;
    private bool _askWindow;
    private bool _tellWindow;
    private long _lastFlush = long.MinValue / 2;
    private long _tickAt = long.MaxValue;
    private long _probeAt = long.MaxValue;
    private int _probeWait;
    private long _heardAt;

    /// <param name="options">Valid knobs.</param>
    /// <param name="conv">The conversation's number; both ends use the same.</param>
    /// <param name="user">What sits on top.</param>
    /// <param name="firstNumber">The first segment's number: 0 on the wire; another only to test wrap-around.</param>
    public KcpEngine(KcpOptions options, uint conv, IOrderedByteUser user, uint firstNumber = 0)
    {
        _options = options;
        _user = user;
        Conv = conv;
        _send = new SendWindow(options.SegmentSize, firstNumber);
        _receive = new ReceiveWindow(options.ReceiveWindow, options.SegmentSize, firstNumber);
        _passed = new PassedByMarks(Math.Max(1, options.Resend));
        _roundTrip = new RoundTripEstimator(options.NoDelay, options.Interval);
        _congestion = new CongestionWindow(options.SegmentSize);
        _pacing = options.NoCongestion && options.Pacing ? new Pacing(options.SegmentSize) : null;
        _remoteWindow = InitialRemoteWindow;
        _dataDue = !options.WriteDelay;
        _ackBatch = Math.Max(1, options.Mtu / KcpSegment.HeaderLength);
        Mtu = options.Mtu;
    }

    public uint Conv { get; }

    public KcpCounters Counters => _counters with { PathBlackHoles = _path.BlackHoles };

    /// <summary>Bytes that one datagram's segments take at most now.</summary>
    public int Mtu { get; private set; }

    /// <summary>The length of the probe that <see cref="TransmitProbe"/> would write; 0 when none is due.</summary>
    public int ProbeLength => _path.Due;

    /// <summary>Milliseconds; 0 until the first sample.</summary>
    public int SmoothedRoundTrip => _roundTrip.Smoothed;

    /// <summary>Milliseconds.</summary>
    public int RetransmissionTimeout => _roundTrip.Timeout;

    /// <summary>Every round trip that was measured, in milliseconds.</summary>
    public Histogram RoundTrips { get; } = new();

    /// <summary>The retransmission timeout after each of them, in milliseconds.</summary>
    public Histogram Timeouts { get; } = new();

    /// <summary>Segments that the peer can take.</summary>
    public int RemoteWindow => _remoteWindow;

    /// <summary>Segments that may be in flight now.</summary>
    public int Window
    {
        get
        {
            int window = Math.Min(_options.SendWindow, _remoteWindow);
            return _options.NoCongestion ? window : Math.Min(window, _congestion.Segments);
        }
    }

    /// <summary>Bytes of data a second that may leave; 0 while what leaves is not paced.</summary>
    public long PacingRate => _pacing?.BytesPerSecond ?? 0;

    /// <summary>Segments sent and not acknowledged.</summary>
    public int InFlight => _send.Count;

    public int BytesInFlight => _send.BytesInFlight;

    /// <summary>When the peer last acknowledged something, or there began to be something to acknowledge; in milliseconds.</summary>
    public long HeardAt => _heardAt;

    /// <summary>Segments that this end can take.</summary>
    public int LocalWindow => _receive.Free;

    /// <summary>In-order segments that the user has not taken.</summary>
    public int WaitingForUser => _receive.Waiting;

    public int MemoryUse => _send.MemoryUse + _receive.MemoryUse + _parts.MemoryUse + _acks.Length * 8;

    /// <summary>
    /// The peer has echoed a transmission of this end: it is there, has the same key, and is where its datagrams say it is. Whoever
    /// only repeats what a peer once said cannot know when this end sends.
    /// </summary>
    public bool PeerAnswered { get; private set; }

    /// <summary>The peer is there but does not know this conversation any more.</summary>
    public bool PeerForgot { get; private set; }

    /// <summary>When <see cref="Advance"/> is wanted, in milliseconds; MaxValue when nothing is under way.</summary>
    public long Deadline => Math.Min(Math.Min(_tickAt, _path.Deadline), Math.Min(Math.Min(_probeAt, _pacedUntil), _send.NextTimeout));

    private int SegmentSize => Mtu - KcpSegment.HeaderLength;

    /// <summary>Takes one datagram's payload: one or more segments.</summary>
    /// <param name="payload">What the cipher opened.</param>
    /// <param name="now">Milliseconds.</param>
    /// <param name="regular">False for a packet rebuilt from parity: it says nothing about the peer's window or the round trip.</param>
    /// <returns>False when a segment was malformed; what came before it counts.</returns>
    public bool Receive(ReadOnlySpan<byte> payload, long now, bool regular = true)
    {
        EndTick(now);
        var input = new Input { Now = now, Regular = regular };
        bool wellFormed = Parse(payload, ref input);
        Account(ref input);
        if (!wellFormed)
            _counters.Malformed++;
        return wellFormed;
    }

    /// <summary>Segments that the peer is told it may send, at most, from now on; what it was told before is still taken.</summary>
    public int GrantedWindow { get; set; } = int.MaxValue;

    /// <summary>Offers the user again what it had no room for.</summary>
    public void DeliverWaiting()
    {
        bool wasFull = _receive.Free == 0;
        TakeInOrder();

        // The peer believes that there is no room; it would otherwise find out only by its next probe.
        _tellWindow |= wasFull && _receive.Free != 0;
    }

    /// <summary>Lets what is due at <paramref name="now"/> (milliseconds) happen.</summary>
    public void Advance(long now)
    {
        EndTick(now);
        if (now >= _tickAt)
            Tick();
        ExpireTimeouts(now);
        AdvanceProbe(now);
        _path.Advance(now);
        FollowPath(now);
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
        _largest = largest;
        _path.Begin(safe, largest, now);
        FollowPath(now);
    }

    /// <summary>The peer takes segments in parts.</summary>
    public bool PeerTakesParts { get; set; }

    /// <summary>
    /// The link takes no datagram longer than this. False when segments are in flight that have become too long for ever: the
    /// conversation cannot go on.
    /// </summary>
    public bool TryLimit(int largest, long now)
    {
        _largest = largest;
        if (_path.IsOn)
            _path.Limit(largest, now);
        FollowPath(now);
        return PeerTakesParts || _send.LongestInFlight <= SegmentSize;
    }

    /// <summary>The way to the peer is another one: what passed before may not any more.</summary>
    public void RecheckPath(long now)
    {
        _pacing?.Forget(_order);
        if (_path.IsOn)
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
        destination = destination[..Math.Min(destination.Length, Mtu)];
        int written = 0;
        EndTick(now);
        ArmTick(now);
        if (now >= _tickAt)
            Tick();
        bool drained = WriteAcks(destination, ref written, now) && WriteProbes(destination, ref written)
            && WriteLost(destination, ref written, now) && WriteNew(destination, ref written, now);
        if (written != 0)
            _lastFlush = now;
        if (drained)
            Rest(now);
        return written;
    }

    /// <summary>Writes the probe that is due into a destination of exactly its length.</summary>
    public void TransmitProbe(Span<byte> destination, long now)
    {
        // What lay in the buffer before is somebody else's.
        destination.Clear();
        int written = 0;
        WriteHeader(
            destination, ref written, KcpCommand.PathProbe, _path.Stamp, (uint)destination.Length, destination.Length - KcpSegment.HeaderLength);
        _counters.PathProbes++;
        _path.OnSent(now, 2 * _roundTrip.Timeout);
    }

    /// <summary>
    /// Asks the peer for its window with the next transmission: the one question that every KCP end answers without a word to what
    /// sits on top of it. <see cref="KcpCounters.WindowTells"/> counts the answers.
    /// </summary>
    public void AskWindow() => _askWindow = true;

    /// <summary>Gives memory back that an idle conversation does not need. Allowed within <see cref="IOrderedByteUser.TryDeliver"/>.</summary>
    public void Trim()
    {
        _send.Trim();
        _receive.Trim();
        _parts.Trim(_receive);
        if (_ackCount == 0 && _acks.Length > 1024)
            _acks = new (uint, uint)[16];
    }

    private bool Parse(ReadOnlySpan<byte> payload, ref Input input)
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
            if (input.Regular)
                _remoteWindow = segment.Window;
            if (segment.Command == KcpCommand.Ack)
                OnAck(segment, ref input);
            OnUnacknowledged(segment.Unacknowledged, ref input);
            if (segment.Command == KcpCommand.Push)
                OnPush(segment, payload[..(int)segment.Length]);
            else if (segment.Command == KcpCommand.WindowAsk)
                _tellWindow = true;
            else if (segment.Command == KcpCommand.WindowTell)
                _counters.WindowTells++;
            else if (segment.Command > KcpCommand.Unknown && !OnOurs(segment, payload[..(int)segment.Length], input.Now))
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
        if (!_send.Contains(answer.Number) || _send[answer.Number].Timestamp != answer.Timestamp)
            return false;
        PeerForgot |= _send[answer.Number].State != SendWindow.SlotState.Acknowledged;
        return true;
    }

    private void OnAck(in KcpSegment ack, ref Input input)
    {
        // What says nothing new may be anybody's who repeats what the peer once said; it must not pass for a sign of life or a round trip.
        if (!_send.Contains(ack.Number) || _send[ack.Number].State == SendWindow.SlotState.Acknowledged)
            return;
        if (!input.HasEcho || (int)(ack.Timestamp - input.NewestEcho) > 0)
            input.NewestEcho = ack.Timestamp;
        input.HasEcho = true;
        ref SendWindow.Slot slot = ref _send[ack.Number];
        PeerAnswered |= slot.Timestamp == ack.Timestamp;
        // The echo tells which transmission arrived; an older one says nothing about the order of the newest.
        if (slot.State == SendWindow.SlotState.InFlight && slot.Timestamp == ack.Timestamp)
        {
            input.NewestOrder = Math.Max(input.NewestOrder, slot.Order);
            // The first one would have been acknowledged before the second (Eifel, RFC 3522).
            if (slot.Transmissions > 1)
                _roundTrip.OnLoss(input.Now);
        }

        _send.Acknowledge(ack.Number);
    }

    private void OnUnacknowledged(uint una, ref Input input)
    {
        // A number beyond what was sent is a lie; it must not acknowledge anything.
        if ((int)(una - _send.First) <= 0 || (int)(una - _send.Next) > 0)
            return;
        for (uint number = _send.First; number != una; number++)
            _send.Acknowledge(number);
        // At once: each of a datagram's segments says una, and the next one must not walk the same numbers again.
        input.Advanced += _send.Advance();
    }

    private void OnPush(in KcpSegment push, ReadOnlySpan<byte> data)
    {
        _counters.SegmentsReceived++;
        if (!_receive.IsAcceptable(push.Number))
        {
            _counters.OutOfWindow++;
            return;
        }

        // Of two copies that are read at once, the first one's echo tells what happened.
        if (!IsDuplicate(push.Number) || !IsAckPending(push.Number))
            AddAck(push.Number, push.Timestamp);
        if (push.Number == _receive.Next && _receive.Waiting == 0 && !_receive.HasStored && _user.TryDeliver(data))
            _receive.SkipNext();
        else if (_receive.TryStore(push.Number, data))
            TakeInOrder();
        else
            _counters.Duplicates++;
    }

    /// <summary>What only ends of ours say.</summary>
    private bool OnOurs(in KcpSegment segment, ReadOnlySpan<byte> data, long now)
    {
        switch (segment.Command)
        {
            case KcpCommand.PathProbe when segment.Number == KcpSegment.HeaderLength + segment.Length:
                if (_answerCount < MaximumPendingAnswers)
                    _answers[_answerCount++] = (segment.Number, segment.Timestamp);
                return true;
            case KcpCommand.PathAnswer:
                _path.OnAnswer((int)Math.Min(segment.Number, int.MaxValue), segment.Timestamp, now);
                FollowPath(now);
                return true;
            case KcpCommand.Part:
                return OnPart(segment, data);
            default:
                return false;
        }
    }

    private bool OnPart(in KcpSegment segment, ReadOnlySpan<byte> data)
    {
        if (!SegmentPart.TryRead(data, out SegmentPart part, out data))
            return false;
        if (!_receive.IsAcceptable(segment.Number) || _receive.Contains(segment.Number))
        {
            OnPush(segment, data);
            return true;
        }

        _parts.Prune(_receive);
        if (_parts.TryComplete(segment.Number, part, data, out byte[]? whole))
            OnPush(segment, whole);
        return true;
    }

    /// <summary>Takes over what has been found out about the path, or about the link.</summary>
    private void FollowPath(long now)
    {
        int mtu = _path.IsOn ? _path.InUse : Math.Min(_options.Mtu, _largest);
        bool shorter = mtu < Mtu;
        Mtu = mtu;
        if (shorter && PeerTakesParts)
            LoseTooLong();
    }

    /// <summary>What is too long for the path is lost for certain: it is sent again in parts, without waiting for a timeout.</summary>
    private void LoseTooLong()
    {
        for (uint number = _send.First; number != _send.Next; number++)
        {
            if (_send[number].State == SendWindow.SlotState.InFlight && _send[number].Length > SegmentSize)
                Lose(number);
        }
    }

    private void TakeInOrder()
    {
        _receive.Advance();
        while (_receive.TryPeek(out ReadOnlySpan<byte> data) && _user.TryDeliver(data))
        {
            _receive.Take();
            _receive.Advance();
        }
    }

    private bool IsDuplicate(uint number) => (int)(number - _receive.Next) < 0 || _receive.Contains(number);

    /// <summary>Looks at the newest only: a peer that sends everything twice must not make each of them a walk.</summary>
    private bool IsAckPending(uint number)
    {
        for (int i = _ackCount - 1; i >= Math.Max(_ackSent, _ackCount - RecentAcks); i--)
        {
            if (_acks[i].Number == number)
                return true;
        }

        return false;
    }

    private void AddAck(uint number, uint timestamp)
    {
        if (_ackCount == _acks.Length)
        {
            if (_ackCount >= MaximumPendingAcks)
                return;
            Array.Resize(ref _acks, _ackCount * 2);
        }

        _acks[_ackCount++] = (number, timestamp);
    }

    /// <summary>What one datagram's acknowledgements mean together.</summary>
    private void Account(ref Input input)
    {
        int advanced = input.Advanced + _send.Advance();
        if (input.HasEcho || advanced != 0)
            _heardAt = input.Now;

        if (input.Regular && input.HasEcho)
        {
            int sample = (int)((uint)input.Now - input.NewestEcho);
            if (sample >= 0)
                AddSample(sample, input);
        }

        if (input.NewestOrder != 0)
            _passed.Add(input.NewestOrder);
        _pacing?.OnAcknowledged(_send.BytesDelivered, _passed.Highest, _order, _send.BytesUnderWay, input.Now);
        bool passedBy = _options.Resend > 0 && MarkPassedBy(_passed.Lowest, SendWindow.SlotState.LostFast);
        if (input.HasEcho && _silenceProbe != 0)
            passedBy |= EndSilence(input.NewestEcho);
        if (!_options.NoCongestion && advanced != 0)
            _congestion.OnAdvance(_remoteWindow);
        if (_remoteWindow != 0)
            (_probeAt, _probeWait) = (long.MaxValue, 0);
        if (advanced != 0)
            EndBackOff(input.Now);
        if (advanced != 0 || passedBy)
            _ackDue = _dataDue = true;
        _ackDue |= _ackCount != 0 && (_options.AckNoDelay || _ackCount >= _ackBatch);
    }

    private void AddSample(int milliseconds, in Input input)
    {
        _roundTrip.Add(milliseconds, input.Now);
        _pacing?.AddRoundTrip(milliseconds, input.NewestOrder, input.Now);
        RoundTrips.Add(milliseconds);
        Timeouts.Add(_roundTrip.Timeout);
    }

    /// <summary>Declares lost what was transmitted before <paramref name="order"/> and is still in flight.</summary>
    private bool MarkPassedBy(ulong order, SendWindow.SlotState why)
    {
        bool any = false;
        while (_send.TryGetOldest(out uint number) && _send[number].Order < order)
        {
            MarkLost(number, why);
            any = true;
        }

        if (any && !_options.NoCongestion)
            _congestion.OnPassedBy(_send.Count, _options.Resend);
        return any;
    }

    /// <summary>
    /// The peer answers: what was sent again into a silence, or beyond a window that turned out smaller, and is older than the
    /// current timeout, must not sit out the timeout that backed off meanwhile (up to a minute, for each window's worth).
    /// </summary>
    private void EndBackOff(long now)
    {
        int timeout = _roundTrip.Timeout;
        while (_send.TryGetOldest(out uint number) && _send[number].Transmissions > 1
            && (int)((uint)now - _send[number].Timestamp) > timeout)
        {
            _send[number].Timeout = timeout;
            Lose(number);
        }
    }

    /// <summary>
    /// Sends again what timed out, with two exceptions. While the peer is silent altogether, a whole window's timeouts mean that
    /// nothing gets through, or that it was only held up: a few segments find that out, and the rest wait for what they bring back.
    /// And while acknowledgements come, a segment that none of them has passed by is late, not lost: the queue before it grew.
    /// </summary>
    private void ExpireTimeouts(long now)
    {
        int timeout = _roundTrip.Timeout;
        bool silent = now - _heardAt >= timeout;
        bool any = silent && ProbeSilence(now);
        while (_send.TryGetTimedOut(now, out uint number))
        {
            if (silent && any)
                _send.Postpone(number, now + timeout, now);
            else if (!silent && _send[number].Order > _passed.Highest)
                _send.Postpone(number, _heardAt + timeout, now);
            else
                any = Lose(number);
        }

        if (any && !_options.NoCongestion)
            _congestion.OnTimeout();
        _dataDue |= any;
    }

    /// <summary>Loses the few segments that were sent longest ago; true if any had timed out.</summary>
    private bool ProbeSilence(long now)
    {
        bool any = false;
        for (int i = 0; i < SilenceProbes && _send.TryGetOldest(out uint number) && _send[number].ResendAt <= now; i++)
            any = Lose(number);
        if (any && _silenceProbe == 0)
            (_silenceProbe, _silenceProbedAt) = (_order + 1, (uint)now);
        return any;
    }

    /// <summary>
    /// What was sent into a silence finds out what came of the rest: had it been held up only, its acknowledgements would have come first.
    /// Without this the end of a window that a full queue lost would go a few segments a timeout.
    /// </summary>
    private bool EndSilence(uint echo)
    {
        if ((int)(echo - _silenceProbedAt) < 0)
            return false;
        ulong probe = _silenceProbe;
        _silenceProbe = 0;
        return MarkPassedBy(probe, SendWindow.SlotState.LostTimeout);
    }

    private bool Lose(uint number)
    {
        MarkLost(number, SendWindow.SlotState.LostTimeout);
        return true;
    }

    private void MarkLost(uint number, SendWindow.SlotState why)
    {
        _pacing?.OnLost(_send[number].Order);
        _send.MarkLost(number, why);
        _lost.Enqueue(number);
    }

    /// <summary>While the peer has no room, ask it now and then whether it has.</summary>
    private void AdvanceProbe(long now)
    {
        if (_remoteWindow != 0 || now < _probeAt)
            return;
        _askWindow = true;
        _probeWait = Math.Min(ProbeLimit, _probeWait + _probeWait / 2);
        _probeAt = now + _probeWait;
    }

    private bool WriteAcks(Span<byte> destination, ref int written, long now)
    {
        // What may wait goes along for nothing when something else leaves anyway.
        if (!_ackDue && (_lost.Count == 0 || !MaySend(now)) && !CanSendNew(now))
            return true;
        for (; _ackSent < _ackCount; _ackSent++)
        {
            (uint number, uint timestamp) = _acks[_ackSent];
            // What lies below una is acknowledged by una; only the last is echoed, for the round trip.
            if ((int)(number - _receive.Next) < 0 && _ackSent != _ackCount - 1)
                continue;
            if (!WriteHeader(destination, ref written, KcpCommand.Ack, timestamp, number, 0))
                return false;
        }

        _ackCount = _ackSent = 0;
        _ackDue = false;
        return true;
    }

    private bool CanSendNew(long now) => _dataDue && HasRoom && _user.HasOutput && MaySend(now);

    private bool HasRoom => _send.Count < Window && (_pacing is null || _send.BytesUnderWay < _pacing.FlightLimit);

    private bool MaySend(long now) => _pacing is null || _pacing.Allows(now);

    private bool WriteProbes(Span<byte> destination, ref int written)
    {
        if (_askWindow && !WriteHeader(destination, ref written, KcpCommand.WindowAsk, 0, 0, 0))
            return false;
        _askWindow = false;
        if (_tellWindow && !WriteHeader(destination, ref written, KcpCommand.WindowTell, 0, 0, 0))
            return false;
        _tellWindow = false;
        for (; _answerCount != 0; _answerCount--)
        {
            (uint length, uint stamp) = _answers[_answerCount - 1];
            if (!WriteHeader(destination, ref written, KcpCommand.PathAnswer, stamp, length, 0))
                return false;
        }

        return true;
    }

    private bool WriteLost(Span<byte> destination, ref int written, long now)
    {
        while (_lost.TryPeek(out uint number) && MaySend(now))
        {
            if (IsLost(number) && !TryWriteAgain(destination, ref written, number, now))
                return false;
            _partOffset = 0;
            _lost.Dequeue();
        }

        return true;
    }

    private bool IsLost(uint number) =>
        _send.Contains(number) && _send[number].State is >= SendWindow.SlotState.LostFast and <= SendWindow.SlotState.LostTimeout;

    /// <summary>False while it, or the rest of its parts, wants another datagram.</summary>
    private bool TryWriteAgain(Span<byte> destination, ref int written, uint number, long now)
    {
        if (_send[number].Length > SegmentSize && PeerTakesParts)
        {
            if (!TryWriteParts(destination, ref written, number, now))
                return false;
            CountRetransmit(ref _send[number], now);
            _counters.SegmentsInParts++;
            MarkSent(number, now);
            return true;
        }

        if (destination.Length - written < KcpSegment.HeaderLength + _send[number].Length)
            return false;
        CountRetransmit(ref _send[number], now);
        WriteSegment(destination, ref written, number, now);
        return true;
    }

    /// <summary>Writes as much of a segment that is too long as there is room for; true when that was the end of it.</summary>
    private bool TryWriteParts(Span<byte> destination, ref int written, uint number, long now)
    {
        ReadOnlySpan<byte> data = _send.Data(number);
        ReadOnlySpan<byte> rest = data[_partOffset..];
        int room = destination.Length - written - KcpSegment.HeaderLength - SegmentPart.HeaderLength;
        if (room < Math.Min(Math.Min(WorthwhileSpace, SegmentSize - SegmentPart.HeaderLength), rest.Length))
            return false;
        rest = rest[..Math.Min(room, rest.Length)];
        WriteHeader(destination, ref written, KcpCommand.Part, (uint)now, number, SegmentPart.HeaderLength + rest.Length);
        new SegmentPart(_partOffset, data.Length).Write(destination[written..]);
        rest.CopyTo(destination[(written + SegmentPart.HeaderLength)..]);
        written += SegmentPart.HeaderLength + rest.Length;
        _partOffset += rest.Length;
        return _partOffset == data.Length;
    }

    private bool WriteNew(Span<byte> destination, ref int written, long now)
    {
        while (CanSendNew(now))
        {
            int space = Math.Min(destination.Length - written - KcpSegment.HeaderLength, SegmentSize);
            if (space < Math.Min(WorthwhileSpace, SegmentSize))
                return false;
            int length = _user.Fill(_send.Reserve(space));
            if (length == 0)
                break;
            // Silence counts from when there was something to answer.
            if (_send.Count == 0)
            {
                _heardAt = now;
                _pacing?.OnRestart(_send.BytesDelivered, _order, now);
            }

            uint number = _send.Append(length);
            WriteSegment(destination, ref written, number, now);
        }

        return MarkEarly() ? WriteLost(destination, ref written, now) : true;
    }

    /// <summary>With nothing new to send, one acknowledgement that passed a segment by is reason enough to send it again.</summary>
    private bool MarkEarly() =>
        _options.Resend > 0 && !_user.HasOutput && _passed.Highest != 0 && MarkPassedBy(_passed.Highest, SendWindow.SlotState.LostEarly);

    private void WriteSegment(Span<byte> destination, ref int written, uint number, long now)
    {
        ReadOnlySpan<byte> data = _send.Data(number);
        WriteHeader(destination, ref written, KcpCommand.Push, (uint)now, number, data.Length);
        data.CopyTo(destination[written..]);
        written += data.Length;
        MarkSent(number, now);
    }

    private void MarkSent(uint number, long now)
    {
        ref SendWindow.Slot slot = ref _send[number];
        slot.Timeout = NextTimeout(slot);
        _send.MarkSent(number, ++_order, (uint)now, now + slot.Timeout, now);
        _counters.SegmentsSent++;
        _pacing?.OnSent(slot.Length);
    }

    private int NextTimeout(in SendWindow.Slot slot)
    {
        int current = _roundTrip.Timeout;
        if (slot.State != SendWindow.SlotState.LostTimeout)
            return current;
        int backedOff = _options.NoDelay ? slot.Timeout + slot.Timeout / 2 : slot.Timeout + Math.Max(slot.Timeout, current);
        // The path may have become longer than what the segment's first timeout was made for.
        return Math.Min(Math.Max(backedOff, current), RoundTripEstimator.MaximumTimeout);
    }

    private void CountRetransmit(ref SendWindow.Slot slot, long now)
    {
        if (slot.State == SendWindow.SlotState.LostFast)
            _counters.FastRetransmits++;
        else if (slot.State == SendWindow.SlotState.LostEarly)
            _counters.EarlyRetransmits++;
        else
            _counters.TimeoutRetransmits++;
        if (slot.Transmissions == DeadLinkTransmissions)
            _counters.DeadLinkSegments++;
        if (slot.Transmissions >= SuspiciousTransmissions)
            _path.Suspect(now);
    }

    private bool WriteHeader(Span<byte> destination, ref int written, KcpCommand command, uint timestamp, uint number, int length)
    {
        if (destination.Length - written < KcpSegment.HeaderLength + length)
            return false;
        new KcpSegment(Conv, command, 0, (ushort)Math.Min(_receive.Free, GrantedWindow), timestamp, number, _receive.Next, (uint)length).Write(destination[written..]);
        written += KcpSegment.HeaderLength;
        return true;
    }

    /// <summary>Everything that may leave has left: say when the rest is wanted.</summary>
    private void Rest(long now)
    {
        bool paced = _pacing is { } pacing && Pace(pacing, now);
        // Whoever was told just now that its write has left may go on at once: a bulk writer would else send one write an interval.
        if (_options.WriteDelay && _dataDue)
            _dataDueUntil = paced ? long.MaxValue : Math.Min(_dataDueUntil, now);
        if (_remoteWindow == 0 && _user.HasOutput && _probeAt == long.MaxValue)
        {
            _probeWait = ProbeInitial;
            _probeAt = now + _probeWait;
        }

        ArmTick(now);
    }

    /// <summary>Sees to it that what has to wait for its turn gets it; true while there is something.</summary>
    private bool Pace(Pacing pacing, long now)
    {
        bool hasOutput = _user.HasOutput;
        if (!hasOutput && _lost.Count == 0)
            pacing.OnIdle(_order);
        if (hasOutput && _send.BytesUnderWay >= pacing.FlightLimit)
            pacing.OnBound(_order);
        bool waits = (_lost.Count != 0 || (hasOutput && _dataDue && HasRoom)) && !pacing.Allows(now);
        _pacedUntil = waits ? pacing.NextAt(now) : long.MaxValue;
        return waits;
    }

    private void ArmTick(long now)
    {
        bool ackWaits = _ackCount != 0 && !_ackDue;
        bool dataWaits = !_dataDue && _user.HasOutput && _send.Count < Window;
        if (!ackWaits && !dataWaits)
            return;
        _tickAt = Math.Min(_tickAt, Math.Max(now, _lastFlush + _options.Interval));
    }

    /// <summary>Data that comes later than what left with a tick waits for the next one.</summary>
    private void EndTick(long now)
    {
        if (now <= _dataDueUntil)
            return;
        _dataDue = false;
        _dataDueUntil = long.MaxValue;
    }

    private void Tick()
    {
        _ackDue = _dataDue = true;
        _tickAt = long.MaxValue;
    }

    private struct Input
    {
        public long Now;
        public ulong NewestOrder;
        public uint NewestEcho;
        public int Advanced;
        public bool HasEcho;
        public bool Regular;
    }
}
