using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Tests.Simulation;

/// <summary>
/// One end of a stream as an application uses it: writes pieces with pauses, ends, reads with pauses, and checks every byte.
/// </summary>
internal sealed class SimulatedStream
{
    private readonly Session _session;
    private readonly MuxStream _stream;
    private readonly StreamPlan _plan;
    private readonly ulong _writeKey;
    private readonly ulong _readKey;
    private readonly int _toWrite;
    private readonly int _toRead;
    private readonly long _abortAt;
    private Prng _random;
    private byte[] _pending = [];
    private long _writeAt;
    private long _readAt = long.MaxValue;
    private int _written;
    private int _read;
    private bool _finished;

    public SimulatedStream(Session session, MuxStream stream, StreamPlan plan, bool opener, long now)
    {
        _session = session;
        _stream = stream;
        _plan = plan;
        _random = new Prng(plan.Key ^ (opener ? 1u : 2u));
        (_writeKey, _readKey) = opener ? (plan.Key, plan.Key + 1) : (plan.Key + 1, plan.Key);
        (_toWrite, _toRead) = opener ? (plan.OpenerBytes, plan.OtherBytes) : (plan.OtherBytes, plan.OpenerBytes);
        _abortAt = opener && plan.Aborts ? now + plan.AbortAt : long.MaxValue;
        _writeAt = now;
    }

    public bool IsDone { get; private set; }

    /// <summary>Milliseconds.</summary>
    public long NextAction => IsDone ? long.MaxValue : Math.Min(_abortAt, Math.Min(_writeAt, _readAt));

    public string State => $"stream {_stream.Id}: wrote {_written} of {_toWrite}, read {_read} of {_toRead}, done {IsDone}";

    public void Act(long now)
    {
        if (IsDone)
            return;
        if (now >= _abortAt)
        {
            Close();
            return;
        }

        if (now >= _writeAt)
            Write();
        if (now >= _readAt)
            Read(now);
        if (_finished && _stream.EndOfStream)
            Close();
    }

    public void OnReadable(long now) => _readAt = Math.Min(_readAt, now + Pause());

    public void OnWritten(long now)
    {
        // The memory is the writer's again: if it were still read, the pattern would break.
        _pending.AsSpan().Fill(0xCC);
        _writeAt = now + Pause();
    }

    private void Write()
    {
        _writeAt = long.MaxValue;
        int length = Math.Min(_toWrite - _written, 1 + _random.Next(_plan.LargestWrite));
        if (length > 0)
        {
            _pending = new byte[length];
            Pattern.Fill(_writeKey, _written, _pending);
            _written += length;
            Assert.True(_session.Mux.TryWrite(_stream, _pending));
        }
        else if (!_finished)
        {
            _session.Mux.CloseWrite(_stream);
            _finished = true;
            Assert.False(_session.Mux.TryWrite(_stream, new byte[1]));
        }
    }

    private void Read(long now)
    {
        _readAt = long.MaxValue;
        byte[] buffer = new byte[1 + _random.Next(30_000)];
        int count = _session.Read(_stream, buffer);
        Assert.True(count == buffer.Length || _stream.Available == 0 || count > 0);
        Pattern.Check(_readKey, _read, buffer.AsSpan(0, count));
        _read += count;
        Assert.True(_read <= _toRead, $"{State}: more than was written");
        if (_stream.Available != 0)
            _readAt = now + Pause();
        if (_stream.EndOfStream && _plan.Aborts)
            Close();
        else if (_stream.EndOfStream)
            Assert.Equal(_toRead, _read);
    }

    private void Close()
    {
        if (!_plan.Aborts)
            Assert.Equal((_toWrite, _toRead), (_written, _read));
        _session.Close(_stream);
        IsDone = true;
    }

    private int Pause() => _plan.Pause == 0 ? 0 : _random.Next(_plan.Pause);
}
