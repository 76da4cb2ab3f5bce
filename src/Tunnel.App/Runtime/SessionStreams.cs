using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>
/// What is done to a session's streams by those who use them, each thing a turn of the session: what a stream has to say then leaves at the turn's
/// end, or with what others on this thread say.
/// </summary>
/// <param name="turns">The session's lock, and what turns end with.</param>
/// <param name="session">Touched within turns only.</param>
internal sealed class SessionStreams(PeerSession turns, Session session)
{
    /// <summary>Hands over memory to send; false when the stream takes no more.</summary>
    public bool TryWrite(MuxStream stream, ReadOnlyMemory<byte> data)
    {
        turns.Enter();
        bool taken = false;
        try
        {
            taken = session.Mux.TryWrite(stream, data);
        }
        catch (Exception e)
        {
            turns.Die(e);
        }

        turns.LeaveLater();
        return taken;
    }

    /// <summary>Hands over memory that goes out as one frame.</summary>
    public DatagramWrite TryWriteDatagram(MuxStream stream, ReadOnlyMemory<byte> data)
    {
        turns.Enter();
        DatagramWrite result = DatagramWrite.Closed;
        try
        {
            result = session.Mux.TryWriteDatagram(stream, data);
        }
        catch (Exception e)
        {
            turns.Die(e);
        }

        turns.LeaveLater();
        return result;
    }

    /// <summary>What is read from now on is frames; false when it is too late for that.</summary>
    public bool ReadFrames(MuxStream stream)
    {
        using (turns.Look())
            return MuxSession.ReadFrames(stream);
    }

    /// <summary>What is read from now on is bytes.</summary>
    public void ReadBytes(MuxStream stream)
    {
        using (turns.Look())
            MuxSession.ReadBytes(stream);
    }

    /// <summary>A frame's length, or -1 for nothing yet; 0 is the end.</summary>
    /// <exception cref="TunnelClosedException">The session ended.</exception>
    public int ReadFrame(MuxStream stream, Span<byte> destination)
    {
        turns.Enter();
        int length = 0;
        try
        {
            length = Math.Max(0, session.ReadFrame(stream, destination));
        }
        catch (Exception e)
        {
            turns.Die(e);
        }

        length = LeaveReading(stream, length, out bool broken);
        return broken ? throw Broken(stream) : length;
    }

    /// <summary>What is there, or -1 for nothing yet; 0 is the end.</summary>
    /// <exception cref="TunnelClosedException">The session ended.</exception>
    public int Read(MuxStream stream, Span<byte> destination)
    {
        int count = Read(stream, destination, out bool broken);
        return broken ? throw Broken(stream) : count;
    }

    /// <summary>What is there, or -1 for nothing yet; 0 is the end, in order or not.</summary>
    public int Read(MuxStream stream, Span<byte> destination, out bool broken)
    {
        turns.Enter();
        int count = 0;
        try
        {
            count = session.Read(stream, destination);
        }
        catch (Exception e)
        {
            turns.Die(e);
        }

        return LeaveReading(stream, count, out broken);
    }

    /// <summary>Arms <paramref name="signal"/> if the stream has nothing to read yet; false when there is something.</summary>
    public bool TryWaitReadable(MuxStream stream, StreamSignal signal)
    {
        using (turns.Look())
        {
            if (stream.HasInput || stream.EndOfStream)
                return false;
            signal.Arm();
            return true;
        }
    }

    /// <summary>This end writes no more.</summary>
    public void CloseWrite(MuxStream stream) => End(stream, static (s, ended) => s.Mux.CloseWrite(ended));

    /// <summary>This end writes and reads no more; the peer reads to the end.</summary>
    public void Release(MuxStream stream) => End(stream, static (s, ended) => s.Mux.Release(ended));

    /// <summary>Closes both ways at once.</summary>
    public void Close(MuxStream stream) => End(stream, static (s, ended) => s.Close(ended));

    private void End(MuxStream stream, Action<Session, MuxStream> how)
    {
        turns.Enter();
        try
        {
            how(session, stream);
        }
        catch (Exception e)
        {
            turns.Die(e);
        }

        turns.LeaveLater();
    }

    private int LeaveReading(MuxStream stream, int count, out bool broken)
    {
        bool ended = stream.EndOfStream, dead = session.IsClosed;
        turns.LeaveLater();
        broken = count == 0 && (stream.IsReset || (ended && dead && !stream.PeerFinished));
        return count != 0 ? count : ended ? 0 : -1;
    }

    private IOException Broken(MuxStream stream) => stream.IsReset ? new StreamResetException() : new TunnelClosedException(turns.CloseReason);
}
