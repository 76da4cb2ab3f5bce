using System.Runtime.CompilerServices;
using Tunnel.Protocol.Primitives;

namespace Tunnel.Protocol.Kcp;

/// <summary>
/// What becomes of what was sent: times every transmission, takes acknowledgements, and decides which segments are lost, because others
/// passed them by or because their timeout ran out. What is lost waits here to be sent again, the lowest number first: the peer's user waits for
/// that one, and of what is lost twice the second time must not wait for all that was lost since.
/// </summary>
/// <remarks>Times are milliseconds.</remarks>
internal sealed class LossRecovery
{
    private const int SilenceProbes = 4;

    /// <summary>Milliseconds in which an end that was held up reads what came meanwhile, and a peer on the same host that was, too, answers.</summary>
    private const int TimeToRead = 50;

    /// <summary>Milliseconds that a silent peer which was asked is given; hosts hold a process up for as long, whatever the path's timeout.</summary>
    private const int LeastTimeToAnswer = 200;

    private readonly bool _noDelay;
    private readonly int _resend;
    private readonly SendWindow _send;
    private readonly Pacing? _pacing;
    private readonly PriorityQueue<uint, uint> _lost = new(Comparer<uint>.Create((a, b) => (int)(a - b)));
    private readonly PassedByMarks _passed;
    private RoundTripEstimator _roundTrip;
    private CongestionWindow _congestion;
    private ulong _silenceProbe;
    private uint _silenceProbedAt;
    private long _excusedAt = long.MinValue / 2;
    private long _askedFirst;
    private long _askedLast;
    private bool _isAsked;
    private bool _isAsking;

    public LossRecovery(KcpOptions options, SendWindow send, Pacing? pacing)
    {
        (_noDelay, _resend, IgnoresCongestion) = (options.NoDelay, options.Resend, options.NoCongestion);
        _send = send;
        _pacing = pacing;
        _passed = new PassedByMarks(Math.Max(1, options.Resend));
        _roundTrip = new RoundTripEstimator(options.NoDelay, options.Interval);
        _congestion = new CongestionWindow(options.SegmentSize, isOn: !options.NoCongestion);
    }

    /// <summary>0 until the first sample.</summary>
    public int SmoothedRoundTrip => _roundTrip.Smoothed;

    /// <summary>The retransmission timeout.</summary>
    public int Timeout => _roundTrip.Timeout;

    /// <summary>Every round trip that was measured.</summary>
    public Histogram RoundTrips { get; } = new();

    /// <summary>The retransmission timeout after each of them.</summary>
    public Histogram Timeouts { get; } = new();

    /// <summary>When the peer last acknowledged something, or there began to be something to acknowledge.</summary>
    public long HeardAt { get; private set; }

    /// <summary>The newest transmission: they are counted over the whole conversation.</summary>
    public ulong Newest { get; private set; }

    /// <summary>When <see cref="ExpireTimeouts"/> is wanted; MaxValue when nothing is in flight.</summary>
    public long TimeoutsAt => Math.Max(_send.NextTimeout, Math.Max(_excusedAt + TimeToRead, _isAsked ? Math.Min(AnswerBy, AsksAgainAt) : 0));

    /// <summary>Segments that congestion lets be in flight.</summary>
    public int CongestionLimit => _congestion.Segments;

    /// <summary>There is no congestion window.</summary>
    public bool IgnoresCongestion { get; }

    /// <inheritdoc cref="RoundTripEstimator.TailAt" path="/summary"/>
    /// <remarks>With a congestion window every loss is taken for want of room.</remarks>
    public long TailAt(long now) => IgnoresCongestion ? _roundTrip.TailAt(now) : long.MaxValue;

    /// <summary>Something may be lost and not sent again yet.</summary>
    public bool HasLost => _lost.Count != 0;

    /// <summary>The first transmission after a time with nothing in flight: silence counts from when there was something to answer.</summary>
    public void OnRestart(long now)
    {
        Hear(now);
        _pacing?.OnRestart(_send.BytesDelivered, Newest, now);
    }

    /// <summary>Notes a transmission, and sets its timeout.</summary>
    // Inlined: a call for each segment that is sent shows in the benches.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void OnSent(uint number, long now)
    {
        ref SendWindow.Slot slot = ref _send[number];
        slot.Timeout = NextTimeout(slot);
        _send.MarkSent(number, ++Newest, (uint)now, now + slot.Timeout, now);
        _pacing?.OnSent(slot.Length);
    }

    /// <summary>Notes that it was sent once more, before anything was known of the transmission: its timeout counts from now on (RFC 8985, section 7.3).</summary>
    public void OnCopied(uint number, long now)
    {
        _send[number].CopyTimestamp = (uint)now;
        _send.Postpone(number, now + _send[number].Timeout, now);
    }

    /// <summary>Takes what a datagram's acknowledgements mean; true when more may be sent because of it.</summary>
    /// <param name="acks">What they said.</param>
    /// <param name="regular">False for a packet rebuilt from parity, which says nothing about the round trip.</param>
    /// <param name="peerWindow">Segments that the peer can take.</param>
    /// <param name="now">When it came.</param>
    public bool OnAcknowledged(in AckSummary acks, bool regular, int peerWindow, long now)
    {
        bool advanced = acks.Advanced != 0;
        if (acks.HasEcho || advanced)
            Hear(now);
        for (int i = 0; i < acks.Lost; i++)
            _roundTrip.OnLoss(now);
        if (regular && acks.HasEcho)
            AddSample((int)((uint)now - acks.NewestEcho), acks.NewestOrder, now);
        if (acks.NewestOrder != 0)
            _passed.Add(acks.NewestOrder);
        _pacing?.OnAcknowledged(_send.BytesDelivered, _passed.Highest, Newest, _send.BytesUnderWay, now);
        bool passedBy = _resend > 0 && MarkPassedBy(_passed.Lowest, SendWindow.SlotState.LostFast);
        if (acks.HasEcho && _silenceProbe != 0)
            passedBy |= EndSilence(acks.NewestEcho);
        if (advanced)
        {
            _congestion.OnAdvance(peerWindow);
            EndBackOff(now);
        }

        return advanced || passedBy;
    }

    /// <summary>With nothing new to send, one acknowledgement that passed a segment by is reason enough to send it again.</summary>
    public bool MarkEarly() =>
        _resend > 0 && _passed.Highest != 0 && MarkPassedBy(_passed.Highest, SendWindow.SlotState.LostEarly);

    /// <summary>
    /// This end was held up: nothing times out until it has had the time to read what came meanwhile. Not again within a timeout, or an end that is
    /// always late would never send anything again.
    /// </summary>
    public void Excuse(long now)
    {
        if (now - _excusedAt >= _roundTrip.Timeout)
            _excusedAt = now;
    }

    /// <summary>
    /// Whether the silent peer is to be asked for its window before anything is sent again: where nothing is being lost, it was most likely held up for
    /// longer than the timeout, and the answer costs a header instead of data. While it has time to answer nothing times out, and it is asked again.
    /// </summary>
    public bool AsksFirst(long now)
    {
        bool isDue = _isAsked ? now >= AsksAgainAt && now < AnswerBy : IsTimedOut(now) && _roundTrip.IsLossless(now);
        if (!isDue || IsExcused(now))
            return false;
        if (!_isAsked)
            _askedFirst = now;
        (_askedLast, _isAsked, _isAsking) = (now, true, true);
        return true;
    }

    /// <summary>
    /// The peer tells its window; true when that means loss. It acknowledges first, so what it is silent about after the question was lost: a few
    /// segments find out whether the rest was.
    /// </summary>
    public bool OnWindowTold(long now)
    {
        bool isLoss = _isAsking && ProbeSilence(now);
        _isAsking = false;
        if (isLoss)
            _congestion.OnTimeout();
        return isLoss;
    }

    /// <summary>
    /// Loses what timed out, with two exceptions; true if there was any. While the peer is silent altogether, a whole window's timeouts mean that
    /// nothing gets through, or that it was only held up: a few segments find that out, and the rest wait for what they bring back.
    /// And while acknowledgements come, a segment that none of them has passed by is late, not lost: the queue before it grew.
    /// </summary>
    public bool ExpireTimeouts(long now)
    {
        if (IsExcused(now) || (_isAsked && now < AnswerBy))
            return false;
        int timeout = _roundTrip.Timeout;
        bool silent = IsSilent(now);
        bool any = silent && ProbeSilence(now);
        while (_send.TryGetTimedOut(now, out uint number))
        {
            if (silent && any)
                _send.Postpone(number, now + timeout, now);
            else if (!silent && _send[number].Order > _passed.Highest)
                _send.Postpone(number, HeardAt + timeout, now);
            else
                any = Lose(number);
        }

        if (any)
            _congestion.OnTimeout();
        return any;
    }

    /// <summary>What is too long for the path is lost for certain: it is sent again in parts, without waiting for a timeout.</summary>
    /// <param name="size">Bytes of data that still pass.</param>
    public void LoseLongerThan(int size)
    {
        for (uint number = _send.First; number != _send.Next; number++)
        {
            if (_send[number].State == SendWindow.SlotState.InFlight && _send[number].Length > size)
                Lose(number);
        }
    }

    /// <summary>The next one that is to be sent again, until <see cref="DropLost"/> or the loss of a lower one.</summary>
    public bool TryPeekLost(out uint number) => _lost.TryPeek(out number, out _);

    public void DropLost() => _lost.Dequeue();

    /// <summary>Whether it is still lost: it may have been acknowledged meanwhile.</summary>
    public bool IsLost(uint number) =>
        _send.Contains(number) && _send[number].State is >= SendWindow.SlotState.LostFast and <= SendWindow.SlotState.LostTimeout;

    private bool IsExcused(long now) => now - _excusedAt < TimeToRead;

    /// <summary>When whoever was asked first in this silence has had the time to answer.</summary>
    private long AnswerBy => _askedFirst + Math.Max(_roundTrip.Timeout, LeastTimeToAnswer);

    /// <summary>MaxValue once it has answered.</summary>
    private long AsksAgainAt => _isAsking ? _askedLast + _roundTrip.Timeout : long.MaxValue;

    /// <summary>The peer is silent, and what was sent longest ago timed out: by its own clock, which the wheel's is up to a bucket behind.</summary>
    private bool IsTimedOut(long now) => IsSilent(now) && _send.TryGetOldest(out uint number) && _send[number].ResendAt <= now;

    private bool IsSilent(long now) => now - HeardAt >= _roundTrip.Timeout;

    private void Hear(long now)
    {
        HeardAt = now;
        (_isAsked, _isAsking) = (false, false);
    }

    private void AddSample(int milliseconds, ulong order, long now)
    {
        if (milliseconds < 0)
            return;
        _roundTrip.Add(milliseconds, now);
        _pacing?.AddRoundTrip(milliseconds, order, now);
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

        if (any)
            _congestion.OnPassedBy(_send.Count, _resend);
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

    /// <summary>Loses the few segments that were sent longest ago, of those that timed out; true if there was any.</summary>
    private bool ProbeSilence(long now)
    {
        bool any = false;
        for (int i = 0; i < SilenceProbes && _send.TryGetOldest(out uint number) && _send[number].ResendAt <= now; i++)
            any = Lose(number);
        if (any && _silenceProbe == 0)
            (_silenceProbe, _silenceProbedAt) = (Newest + 1, (uint)now);
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
        _lost.Enqueue(number, number);
    }

    private int NextTimeout(in SendWindow.Slot slot)
    {
        int current = _roundTrip.Timeout;
        if (slot.State != SendWindow.SlotState.LostTimeout)
            return current;
        int backedOff = _noDelay ? slot.Timeout + slot.Timeout / 2 : slot.Timeout + Math.Max(slot.Timeout, current);
        // The path may have become longer than what the segment's first timeout was made for.
        return Math.Min(Math.Max(backedOff, current), RoundTripEstimator.MaximumTimeout);
    }
}
