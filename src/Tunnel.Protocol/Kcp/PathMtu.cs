namespace Tunnel.Protocol.Kcp;

/// <summary>
/// Finds out how long a datagram the path carries (as RFC 8899 does for others): padded probes that the peer answers, upward from what
/// every path carries, and the same again when what is in use seems not to get through any more. Each probe has a companion of the
/// safe length: only where that one is answered does the silence about the longer one say anything.
/// </summary>
/// <remarks>Lengths are bytes of KCP payload, times are milliseconds. One owner at a time.</remarks>
internal sealed class PathMtu
{
    /// <summary>Tries of one length, each with an answered companion, before it counts as too long.</summary>
    private const int Tries = 3;

    /// <summary>The search ends when the answer is known to this many bytes.</summary>
    private const int Exactness = 8;

    /// <summary>How long a result is trusted; paths change, and get better as well.</summary>
    private const long Rest = 600_000;

    /// <summary>After a suspicion that proved wrong: what is lost in spite of it is lost by chance.</summary>
    private const long Calm = 5000;

    private const int ShortestWait = 200;
    private const int LongestWait = 5000;

    private int _floor;
    private int _ceiling;
    private int _passes;
    private int _fails;
    private int _candidate;
    private uint _stamp;
    private int _unsent;
    private int _failures;
    private int _backOff;
    private int _interrupted;
    private int _interruptedFailures;
    private bool _companionAnswered;
    private long _calmUntil = long.MinValue;
    private long _restUntil = long.MinValue;

    /// <summary>Whether the peer answers probes.</summary>
    public bool IsOn { get; private set; }

    /// <summary>The length that is used: the longest one known to pass.</summary>
    public int InUse => _passes;

    /// <summary>When <see cref="Advance"/> is wanted; MaxValue while off.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    /// <summary>The length of the probe that is to be sent now; 0 when none is.</summary>
    public int Due => _unsent switch { 2 => _candidate, 1 => _floor, _ => 0 };

    /// <summary>What marks the probes of this try; the answer brings it back.</summary>
    public uint Stamp => _stamp;

    /// <summary>Times that what was in use turned out not to pass any more.</summary>
    public int BlackHoles { get; private set; }

    private bool IsTesting => _candidate != 0;

    /// <summary>The peer answers probes: begins at <paramref name="floor"/>, at once.</summary>
    /// <param name="floor">Every path carries it.</param>
    /// <param name="ceiling">The link takes no more.</param>
    /// <param name="now">Milliseconds.</param>
    public void Begin(int floor, int ceiling, long now)
    {
        IsOn = true;
        _ceiling = ceiling;
        _floor = _passes = Math.Min(floor, ceiling);
        _fails = ceiling + 1;
        Next(now);
    }

    /// <summary>The link's own limit is another one now.</summary>
    public void Limit(int ceiling, long now)
    {
        if (ceiling == _ceiling)
            return;
        _ceiling = ceiling;
        _floor = Math.Min(_floor, ceiling);
        // What passed before passes shorter, too.
        _passes = Math.Min(_passes, ceiling);
        _fails = ceiling + 1;
        _restUntil = now;
        Next(now);
    }

    /// <summary>The path is another one, or a result has become old: what is in use is tried again, and then what is longer.</summary>
    public void Recheck(long now)
    {
        _fails = _ceiling + 1;
        _restUntil = now;
        if (_passes > _floor)
            Test(_passes, now);
        else
            Next(now);
    }

    /// <summary>A segment was sent again and again: its datagrams may be too long.</summary>
    public void Suspect(long now)
    {
        if (!IsOn || _passes <= _floor || now < _calmUntil || _candidate == _passes)
            return;
        (int length, int failures) = (_candidate, _failures);
        Test(_passes, now);
        // A path that loses by chance raises suspicions faster than a longer length is judged: what is known of it must not be lost.
        (_interrupted, _interruptedFailures) = (length, failures);
    }

    /// <summary>The probe that was <see cref="Due"/> has been sent.</summary>
    /// <param name="now">Milliseconds.</param>
    /// <param name="timeout">How long an answer may take.</param>
    public void OnSent(long now, int timeout)
    {
        if (--_unsent == 0)
            Deadline = now + Math.Clamp(Math.Max(timeout, _backOff), ShortestWait, LongestWait);
    }

    /// <summary>The peer received a probe; anything else than an answer to this try means nothing.</summary>
    public void OnAnswer(int length, uint stamp, long now)
    {
        if (!IsTesting || stamp != _stamp)
            return;
        _companionAnswered |= length == _floor;
        if (length == _candidate)
            Pass(now);
    }

    public void Advance(long now)
    {
        if (now < Deadline)
            return;
        if (!IsTesting)
            Recheck(now);
        else if (_unsent == 0)
            Judge(now);
    }

    private void Judge(long now)
    {
        if (!_companionAnswered)
        {
            // Nothing gets through at all: that is no answer. Asked again, less and less often, until something changes.
            _backOff = Math.Min(LongestWait, Math.Max(ShortestWait, _backOff * 2));
            Try(now);
        }
        else if (++_failures < Tries)
        {
            Try(now);
        }
        else
        {
            Fail(now);
        }
    }

    private void Pass(long now)
    {
        if (_candidate == _passes)
            _calmUntil = now + Calm;
        _passes = Math.Max(_passes, _candidate);
        Next(now);
    }

    private void Fail(long now)
    {
        _fails = _candidate;
        if (_candidate <= _passes)
        {
            BlackHoles++;
            _passes = _floor;
        }

        Next(now);
    }

    /// <summary>What is to be found out next: whether the link's own limit passes, as it mostly does, else the middle of what is open.</summary>
    private void Next(long now)
    {
        if (_fails - _passes <= 1 || _fails <= _ceiling && _fails - _passes <= Exactness)
            Settle(now);
        else
            Test(_fails > _ceiling ? _ceiling : (_passes + _fails) / 2, now);
    }

    private void Settle(long now)
    {
        _candidate = _unsent = 0;

        // A suspicion in between does not put the next look off.
        if (_restUntil <= now)
            _restUntil = now + Rest;
        Deadline = _restUntil;
    }

    private void Test(int length, long now)
    {
        _candidate = length;
        _failures = length == _interrupted ? _interruptedFailures : 0;
        _interrupted = 0;
        _backOff = 0;
        Try(now);
    }

    private void Try(long now)
    {
        // Never the same twice, so that a late answer is not taken for one to the newest try.
        _stamp = _stamp == (uint)now ? _stamp + 1 : (uint)now;
        _companionAnswered = false;
        _unsent = 2;
        Deadline = now;
    }
}
