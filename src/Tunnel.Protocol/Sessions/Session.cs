using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;

namespace Tunnel.Protocol.Sessions;

/// <summary>
/// One peer's whole stack: cipher, ARQ, multiplexer. Inputs: <see cref="Receive"/> (a
/// datagram and a time), <see cref="Advance"/>, and the stream commands of <see cref="Mux"/>. Outputs: <see cref="Transmit"/>,
/// <see cref="TryTakeEvent"/>, <see cref="Deadline"/>.
/// </summary>
/// <remarks>
/// The contract: one owner at a time; time never goes back; after a mutation, or several at one instant, drain Transmit and the
/// events, then read Deadline. Nothing blocks, throws for what a peer sent, or allocates in the steady state.
/// </remarks>
public sealed class Session : IDisposable
{
    /// <summary>Segments that a peer may send however little memory there is: it must be able to say and to acknowledge something.</summary>
    private const int MinimumGrant = 32;

    /// <summary>A session's silence is counted in seconds.</summary>
    private static readonly TimeSpan LeastSilence = TimeSpan.FromSeconds(1);

    private readonly DatagramCipher _cipher;
    private readonly SessionOptions _options;
    private readonly IStreamAdmission? _admission;
    private byte[] _scratch;

    /// <param name="options">From <see cref="SessionOptions.Create"/> with this cipher's overhead.</param>
    /// <param name="cipher">Owned from now on.</param>
    /// <param name="conv">The conversation: chosen by the client at random, taken over by the server.</param>
    /// <param name="isClient">Which stream numbers this end opens.</param>
    /// <param name="now">The owner's clock.</param>
    /// <param name="admission">What the process lets its sessions have; null for no bounds but the session's own.</param>
    public Session(SessionOptions options, DatagramCipher cipher, uint conv, bool isClient, Instant now, IStreamAdmission? admission = null)
    {
        _options = options;
        _cipher = cipher;
        _admission = admission;

        // A client asks for what a server can do, and with its answer the server may send long datagrams already.
        _scratch = new byte[isClient ? KcpEngine.LargestDatagram : KcpEngine.MaximumDatagram];
        // The number is a client's random draw, and so is the time at which the session speaks first.
        Mux = new MuxSession(options.Mux, isClient, now.Milliseconds, admission, phase: conv);
        Kcp = new KcpEngine(options.Kcp, conv, Mux);
    }

    public KcpEngine Kcp { get; }

    public MuxSession Mux { get; }

    public bool IsClosed => Mux.IsClosed;

    /// <summary>Bytes of a sealed datagram at most, now: it changes with what the path carries.</summary>
    public int Mtu => Kcp.Mtu + _cipher.Overhead;

    /// <summary>Bytes of the longest run of one datagram that <see cref="Transmit"/> may want to write now, without headroom.</summary>
    public int LongestRun => Math.Max(Kcp.Mtu, Kcp.ProbeLength) + _cipher.Overhead;

    /// <summary>The memory that this session's buffers take, in bytes.</summary>
    public long MemoryUse => Kcp.MemoryUse + Mux.MemoryUse + _scratch.Length;

    public Instant Deadline => IsClosed ? Instant.Never : ToInstant(Math.Min(Kcp.Deadline, Mux.Deadline));

    /// <summary>Takes a sealed datagram (without guard).</summary>
    public DropReason Receive(ReadOnlySpan<byte> datagram, Instant now)
    {
        if (datagram.Length > _scratch.Length)
            return DropReason.TooLong;
        return _cipher.TryOpen(datagram, _scratch, out ReadOnlySpan<byte> payload) ? ReceiveOpened(payload, now) : DropReason.Cipher;
    }

    /// <summary>The peer sends, and takes, what only ends of ours do: long datagrams, and segments in parts.</summary>
    public void PeerIsOurs()
    {
        Kcp.PeerTakesParts = true;
        if (_scratch.Length < KcpEngine.LargestDatagram)
            _scratch = new byte[KcpEngine.LargestDatagram];
    }

    /// <summary>
    /// Finds out how long a datagram the path carries, from <see cref="SessionOptions.SafeMtu"/> up. Only for a peer that announced
    /// that it answers.
    /// </summary>
    /// <param name="largest">Bytes of a sealed datagram that the link takes at most.</param>
    /// <param name="now">The owner's clock.</param>
    public void ProbePath(int largest, Instant now)
    {
        PeerIsOurs();
        largest = Math.Min(largest, KcpEngine.LargestDatagram) - _cipher.Overhead;
        Kcp.ProbePath(SessionOptions.SafeMtu - _cipher.Overhead, largest, now.Milliseconds);
    }

    /// <summary>The link takes sealed datagrams of at most so many bytes. What the path carries may be less.</summary>
    public void Limit(int largest, Instant now)
    {
        if (!Kcp.TryLimit(Math.Min(largest, KcpEngine.LargestDatagram) - _cipher.Overhead, now.Milliseconds))
            Mux.Close(CloseReason.PathTooNarrow);
    }

    /// <summary>Takes a datagram that somebody else has opened, with the same key.</summary>
    public DropReason ReceiveOpened(ReadOnlySpan<byte> payload, Instant now)
    {
        if (IsClosed)
            return DropReason.Closed;
        DropReason drop = Datagram.Classify(payload);
        if (drop != DropReason.None)
            return drop;
        if (!KcpSegment.TryRead(payload, out KcpSegment first) || first.Conv != Kcp.Conv)
            return DropReason.Conversation;
        Mux.SetTime(now.Milliseconds);
        bool wellFormed = Kcp.Receive(payload, now.Milliseconds);
        Mux.OnAcknowledged(Kcp.ConfirmedAt);
        if (Kcp.PeerForgot)
            Mux.Close(CloseReason.PeerForgot);
        return wellFormed ? DropReason.None : DropReason.Kcp;
    }

    /// <summary>This end was held up for so long: silence in that time says nothing about the peer. Before <see cref="Advance"/>.</summary>
    public void Excuse(TimeSpan time, Instant now)
    {
        Kcp.Excuse(now.Milliseconds);
        if (time >= LeastSilence)
            Mux.Excuse((long)time.TotalMilliseconds, now.Milliseconds);
    }

    /// <summary>Lets what is due happen.</summary>
    public void Advance(Instant now)
    {
        long milliseconds = now.Milliseconds;
        bool trims = Mux.Advance(milliseconds);
        Kcp.Advance(milliseconds);
        if (trims)
            Kcp.Trim();
    }

    /// <summary>
    /// Gives all memory back that nothing is in, without waiting until it is due. Allowed within <see cref="IStreamAdmission.Admit"/>, so
    /// that a session that is about to be refused a stream can make the room for it.
    /// </summary>
    public void Reclaim()
    {
        Kcp.Reclaim();
        Mux.Reclaim();
    }

    /// <summary>
    /// Writes datagrams to send into <paramref name="buffer"/>, back to back, each behind <paramref name="headroom"/> bytes that
    /// belong to the caller. All are as long as the first, but the last. Call until the run is empty.
    /// </summary>
    public TransmitRun Transmit(Span<byte> buffer, int headroom, Instant now)
    {
        if (IsClosed)
            return default;
        long milliseconds = now.Milliseconds;
        if (Kcp.ProbeLength != 0 && buffer.Length >= headroom + Kcp.ProbeLength + _cipher.Overhead)
            return TransmitProbe(buffer, headroom, milliseconds);
        Kcp.GrantedWindow = Math.Max(MinimumGrant, _options.Kcp.ReceiveWindow >> (_admission?.WindowShift ?? 0));
        int count = 0, used = 0, limit = Mtu, stride = 0;
        while (buffer.Length - used >= headroom + limit)
        {
            int payload = Kcp.Transmit(buffer.Slice(used + headroom + _cipher.HeaderLength, limit - _cipher.Overhead), milliseconds);
            if (payload == 0)
                break;
            int length = payload + _cipher.Overhead;
            _cipher.Seal(buffer.Slice(used + headroom, length));
            used += headroom + length;
            count++;
            if (count == 1)
                (limit, stride) = (length, headroom + length);
            if (length < limit)
                break;
        }

        return new TransmitRun(count, stride, used);
    }

    /// <summary>A probe is longer than the datagrams around it: a run of its own.</summary>
    private TransmitRun TransmitProbe(Span<byte> buffer, int headroom, long milliseconds)
    {
        Span<byte> datagram = buffer.Slice(headroom, Kcp.ProbeLength + _cipher.Overhead);
        Kcp.TransmitProbe(datagram.Slice(_cipher.HeaderLength, Kcp.ProbeLength), milliseconds);
        _cipher.Seal(datagram);
        return new TransmitRun(1, headroom + datagram.Length, headroom + datagram.Length);
    }

    /// <summary>Reads from a stream, and lets in what had to wait for the room.</summary>
    public int Read(MuxStream stream, Span<byte> destination)
    {
        int count = Mux.Read(stream, destination);
        if (count != 0 && Kcp.WaitingForUser != 0)
            Kcp.DeliverWaiting();
        return count;
    }

    /// <summary>Takes a frame (-1 for none yet), and lets in what had to wait for the room.</summary>
    public int ReadFrame(MuxStream stream, Span<byte> destination)
    {
        int length = Mux.ReadFrame(stream, destination);
        if (length > 0 && Kcp.WaitingForUser != 0)
            Kcp.DeliverWaiting();
        return length;
    }

    /// <summary>Closes a stream both ways at once, and lets in what had to wait for the room.</summary>
    public void Close(MuxStream stream)
    {
        Mux.Close(stream);
        if (Kcp.WaitingForUser != 0)
            Kcp.DeliverWaiting();
    }

    public bool TryTakeEvent(out MuxEvent e) => Mux.TryTakeEvent(out e);

    /// <summary>Ends the session; nothing more is sent. Idempotent.</summary>
    public void Close(CloseReason reason) => Mux.Close(reason);

    public void Dispose()
    {
        Mux.Close(CloseReason.Local);
        _cipher.Dispose();
    }

    private static Instant ToInstant(long milliseconds) =>
        milliseconds == long.MaxValue ? Instant.Never : Instant.FromMilliseconds(milliseconds);
}
