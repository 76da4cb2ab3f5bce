using System.Runtime.CompilerServices;

namespace Tunnel.Protocol.Kcp;

/// <summary>
/// How long datagrams may be: as configured and the link takes them, or as it is found out with a peer that answers probes. The answers to the
/// peer's own probes wait here, too.
/// </summary>
/// <remarks>Lengths are bytes of KCP payload, times are milliseconds.</remarks>
internal sealed class PathLimit(int configured)
{
    private const int MaximumPendingAnswers = 4;

    private readonly int _configured = configured;
    private readonly PathMtu _mtu = new();
    private Answers _answers;
    private int _answerCount;
    private int _largest = int.MaxValue;

    /// <summary>Bytes that one datagram's segments take at most now.</summary>
    public int Mtu { get; private set; } = configured;

    /// <summary>Bytes of data in a full segment.</summary>
    public int SegmentSize => Mtu - KcpSegment.HeaderLength;

    /// <summary>The length of the probe that is to be sent now; 0 when none is.</summary>
    public int ProbeLength => _mtu.Due;

    public int BlackHoles => _mtu.BlackHoles;

    /// <summary>Probes sent.</summary>
    public long Probes { get; private set; }

    /// <summary>When <see cref="Advance"/> is wanted.</summary>
    public long Deadline => _mtu.Deadline;

    /// <summary>The peer answers probes.</summary>
    /// <param name="safe">Every path carries it.</param>
    /// <param name="largest">The link takes no more.</param>
    /// <param name="now">Milliseconds.</param>
    public void Begin(int safe, int largest, long now)
    {
        _largest = largest;
        _mtu.Begin(safe, largest, now);
    }

    /// <summary>The link takes no datagram longer than this.</summary>
    public void Limit(int largest, long now)
    {
        _largest = largest;
        if (_mtu.IsOn)
            _mtu.Limit(largest, now);
    }

    /// <summary>The way to the peer is another one.</summary>
    public void Recheck(long now)
    {
        if (_mtu.IsOn)
            _mtu.Recheck(now);
    }

    /// <summary>A segment was sent again and again: its datagrams may be too long.</summary>
    public void Suspect(long now) => _mtu.Suspect(now);

    public void Advance(long now) => _mtu.Advance(now);

    /// <summary>Takes over what has been found out about the path, or about the link; true when datagrams are shorter from now on.</summary>
    public bool Follow()
    {
        int before = Mtu;
        Mtu = _mtu.IsOn ? _mtu.InUse : Math.Min(_configured, _largest);
        return Mtu < before;
    }

    /// <summary>The peer tries a length.</summary>
    public void OnProbe(in KcpSegment probe)
    {
        if (_answerCount < MaximumPendingAnswers)
            _answers[_answerCount++] = (probe.Number, probe.Timestamp);
    }

    /// <summary>The peer says that a probe has arrived.</summary>
    public void OnAnswer(in KcpSegment answer, long now) =>
        _mtu.OnAnswer((int)Math.Min(answer.Number, int.MaxValue), answer.Timestamp, now);

    /// <summary>The peer waits for answers.</summary>
    public bool HasAnswers => _answerCount != 0;

    /// <summary>False while some of the answers want another datagram.</summary>
    public bool TryWriteAnswers(ref SegmentWriter writer)
    {
        for (; _answerCount != 0; _answerCount--)
        {
            (uint length, uint stamp) = _answers[_answerCount - 1];
            if (!writer.TryWriteHeader(KcpCommand.PathAnswer, stamp, length))
                return false;
        }

        return true;
    }

    /// <summary>Writes the probe that is due over the whole of an empty datagram of its length.</summary>
    /// <param name="writer">The datagram.</param>
    /// <param name="timeout">How long an answer may take.</param>
    /// <param name="now">Milliseconds.</param>
    public void WriteProbe(ref SegmentWriter writer, int timeout, long now)
    {
        int length = writer.Room;
        writer.TryWriteHeader(KcpCommand.PathProbe, _mtu.Stamp, (uint)length, length - KcpSegment.HeaderLength);
        Probes++;
        _mtu.OnSent(now, timeout);
    }

    [InlineArray(MaximumPendingAnswers)]
    private struct Answers
    {
        private (uint Length, uint Stamp) _first;
    }
}
