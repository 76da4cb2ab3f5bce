using System.Text;

namespace Tunnel.Protocol.Sessions;

/// <summary>What the first bytes of a stream ask for. The numbers are those of every format; from 16 on they are ours, and of V1 only.</summary>
public enum StreamRequest : byte
{
    Ping = 1,
    Pong = 2,

    /// <summary>Announces the TCP flags that the client wants to see on segments sent to it.</summary>
    Flags = 3,

    /// <summary>Dial a TCP target.</summary>
    Tcp = 4,

    /// <summary>Relay datagrams to a UDP target.</summary>
    Udp = 5,

    /// <summary>Says what the sender can do beyond the peers' format, and asks the same; a stock peer closes the stream.</summary>
    Capabilities = 16,

    /// <summary>As <see cref="Tcp"/>, answered with a <see cref="DialResult"/> before the first byte.</summary>
    Dial = 17,

    /// <summary>The sender ends the session, now and orderly.</summary>
    Goodbye = 18,

    /// <summary>As <see cref="Udp"/>, with each datagram behind its length (u16 big-endian): it need not be a frame of its own.</summary>
    UdpFramed = 19,

    /// <summary>The sender takes no new streams on this session; those that run go on to their end, or to its goodbye.</summary>
    Draining = 20,

    /// <summary>
    /// Asks the server to listen, and carry what connects there back to the client, for as long as this stream lives. Answered with a
    /// <see cref="ReverseResult"/>.
    /// </summary>
    Reverse = 24,

    /// <summary>
    /// From a server: somebody connected where a <see cref="Reverse"/> listens. Answered with a <see cref="DialResult"/> before the
    /// first byte; datagrams go behind their lengths, without an answer.
    /// </summary>
    Connection = 25,
}

/// <summary>How a header is written. There is no negotiation: a client is told, a server sees it from the first bytes.</summary>
public enum HeaderFormat
{
    /// <summary>paqet 1.0.0-alpha.21: <see cref="StreamHeaderV1"/>.</summary>
    V1,

    /// <summary>The guard fork: <see cref="StreamHeaderV3"/>.</summary>
    V3,

    /// <summary>Earlier paqet, later fork: <see cref="StreamHeaderGob"/>.</summary>
    Gob,
}

/// <summary>A host (literal or name) and a port, as a stream header names its target.</summary>
public readonly record struct Target(string Host, ushort Port)
{
    /// <summary>No host is longer, as no name is.</summary>
    public const int MaximumHost = 253;

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>The host in a header; null if it cannot be one.</summary>
    internal static string? ReadHost(ReadOnlySpan<byte> host)
    {
        // A name or a literal is ASCII; control characters would end up in logs.
        if (host.IsEmpty || host.Length > MaximumHost || host.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E))
            return null;
        return Encoding.ASCII.GetString(host);
    }

    /// <summary>Writes the host's bytes; returns how many.</summary>
    /// <exception cref="ArgumentException">The host is empty or too long.</exception>
    internal int WriteHost(Span<byte> destination)
    {
        int length = Encoding.ASCII.GetByteCount(Host);
        if (length is 0 or > MaximumHost)
            throw new ArgumentException($"a target's host is 1 to {MaximumHost} bytes long");
        return Encoding.ASCII.GetBytes(Host, destination);
    }
}

/// <summary>What a stream says first, whichever way it is written.</summary>
/// <param name="Request">What is asked for.</param>
/// <param name="Target">For TCP and UDP; where to listen for a reverse; who connected for a connection.</param>
/// <param name="Flags">For an announcement: TCP flag bitmasks (FIN 1, SYN 2, RST 4, PSH 8, ACK 0x10, URG 0x20, ECE 0x40, CWR 0x80, NS 0x100).</param>
/// <param name="Capabilities">For <see cref="StreamRequest.Capabilities"/>: what the sender can do.</param>
/// <param name="Reverse">For <see cref="StreamRequest.Reverse"/> and <see cref="StreamRequest.Connection"/>: which one it is.</param>
public sealed record StreamHeader(
    StreamRequest Request,
    Target Target = default,
    IReadOnlyList<ushort>? Flags = null,
    Capabilities Capabilities = Capabilities.None,
    ReverseName Reverse = default)
{
    /// <summary>No header is longer than this, in any format.</summary>
    public const int MaximumLength = 4096;

    /// <summary>An announcement has no more bitmasks than this.</summary>
    internal const int MaximumFlags = 64;

    /// <summary>The bits that an announcement's bitmasks have.</summary>
    internal const int FlagBits = 0x1FF;

    /// <summary>It dials somewhere, and so names a target.</summary>
    internal bool HasTarget => HasName || Request is StreamRequest.Tcp or StreamRequest.Udp or StreamRequest.Dial or StreamRequest.UdpFramed;

    /// <summary>It is about a reverse forward, and names it.</summary>
    internal bool HasName => Request is StreamRequest.Reverse or StreamRequest.Connection;

    /// <summary>Writes the header; returns its length.</summary>
    /// <param name="format">The peer's.</param>
    /// <param name="destination">At least <see cref="MaximumLength"/> bytes.</param>
    /// <exception cref="ArgumentException">The host is empty or longer than 253 bytes.</exception>
    public int Write(HeaderFormat format, Span<byte> destination) => format switch
    {
        HeaderFormat.V3 => StreamHeaderV3.Write(this, destination),
        HeaderFormat.Gob => StreamHeaderGob.Write(this, destination),
        _ => StreamHeaderV1.Write(this, destination),
    };
}
