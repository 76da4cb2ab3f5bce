using System.Buffers.Binary;
using System.Text;

namespace Tunnel.Protocol.Sessions;

/// <summary>What the first bytes of a stream ask for.</summary>
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
}

/// <summary>A host (literal or name) and a port, as a stream header names its target.</summary>
public readonly record struct Target(string Host, ushort Port)
{
    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

/// <summary>The state of reading a header from bytes that may not all be there yet.</summary>
public enum HeaderStatus
{
    Complete,

    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>This is not a header, or not one that this version knows.</summary>
    Invalid,
}

/// <summary>
/// The stream header of paqet 1.0.0-alpha.21 ("V1"): <c>50 01 | type u8 | body length u16 BE | body</c>. The body of TCP and UDP is
/// <c>host length u8 | host | port u16 BE</c>, of a flags announcement <c>count u8 | count x u16 BE</c>, of capabilities
/// <c>bits u32 BE</c> and whatever later versions add, and empty otherwise.
/// </summary>
/// <param name="Request">What is asked for.</param>
/// <param name="Target">For TCP and UDP.</param>
/// <param name="Capabilities">For <see cref="StreamRequest.Capabilities"/>: what the sender can do.</param>
/// <param name="Flags">For an announcement: TCP flag bitmasks (FIN 1, SYN 2, RST 4, PSH 8, ACK 0x10, URG 0x20, ECE 0x40, CWR 0x80, NS 0x100).</param>
public sealed record StreamHeader(
    StreamRequest Request, Target Target = default, IReadOnlyList<ushort>? Flags = null, Capabilities Capabilities = Capabilities.None)
{
    /// <summary>No header is longer than this.</summary>
    public const int MaximumLength = PrefixLength + MaximumBody;

    private const int PrefixLength = 5;
    private const int MaximumBody = 4096;
    private const int MaximumHost = 253;
    private const int MaximumFlags = 64;
    private const int CapabilitiesLength = 4;
    private const byte Magic = 0x50;
    private const byte Version = 0x01;

    /// <summary>Reads a header from the front of <paramref name="source"/>; <paramref name="length"/> is what it took.</summary>
    public static HeaderStatus TryRead(ReadOnlySpan<byte> source, out StreamHeader? header, out int length)
    {
        header = null;
        length = 0;
        if (source.Length >= 1 && source[0] != Magic || source.Length >= 2 && source[1] != Version)
            return HeaderStatus.Invalid;
        if (source.Length < PrefixLength)
            return HeaderStatus.Incomplete;
        int bodyLength = BinaryPrimitives.ReadUInt16BigEndian(source[3..]);
        if (bodyLength > MaximumBody)
            return HeaderStatus.Invalid;
        if (source.Length < PrefixLength + bodyLength)
            return HeaderStatus.Incomplete;
        length = PrefixLength + bodyLength;
        header = ReadBody((StreamRequest)source[2], source.Slice(PrefixLength, bodyLength));
        return header is null ? HeaderStatus.Invalid : HeaderStatus.Complete;
    }

    /// <summary>Writes the header; returns its length.</summary>
    /// <param name="destination">At least <see cref="MaximumLength"/> bytes.</param>
    /// <exception cref="ArgumentException">The host is empty or longer than 253 bytes.</exception>
    public int Write(Span<byte> destination)
    {
        destination[0] = Magic;
        destination[1] = Version;
        destination[2] = (byte)Request;
        Span<byte> body = destination[PrefixLength..];
        int bodyLength = Request switch
        {
            StreamRequest.Tcp or StreamRequest.Udp or StreamRequest.Dial => WriteTarget(body, Target),
            StreamRequest.Capabilities => WriteCapabilities(body, Capabilities),
            StreamRequest.Flags => WriteFlags(body, Flags ?? []),
            _ => 0,
        };
        BinaryPrimitives.WriteUInt16BigEndian(destination[3..], (ushort)bodyLength);
        return PrefixLength + bodyLength;
    }

    private static StreamHeader? ReadBody(StreamRequest request, ReadOnlySpan<byte> body)
    {
        switch (request)
        {
            case StreamRequest.Ping or StreamRequest.Pong or StreamRequest.Goodbye:
                return body.IsEmpty ? new StreamHeader(request) : null;
            case StreamRequest.Capabilities:
                return body.Length < CapabilitiesLength
                    ? null
                    : new StreamHeader(request, Capabilities: (Capabilities)BinaryPrimitives.ReadUInt32BigEndian(body));
            case StreamRequest.Tcp or StreamRequest.Udp or StreamRequest.Dial:
                return ReadTarget(body) is { } target ? new StreamHeader(request, target) : null;
            case StreamRequest.Flags:
                return ReadFlags(body) is { } flags ? new StreamHeader(request, default, flags) : null;
            default:
                return null;
        }
    }

    private static Target? ReadTarget(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty || body[0] is 0 or > MaximumHost || body.Length != 1 + body[0] + 2)
            return null;
        ReadOnlySpan<byte> host = body.Slice(1, body[0]);
        // A name or a literal is ASCII; control characters would end up in logs.
        if (host.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E))
            return null;
        return new Target(Encoding.ASCII.GetString(host), BinaryPrimitives.ReadUInt16BigEndian(body[^2..]));
    }

    private static ushort[]? ReadFlags(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty || body[0] > MaximumFlags || body.Length != 1 + 2 * body[0])
            return null;
        var flags = new ushort[body[0]];
        for (int i = 0; i < flags.Length; i++)
            flags[i] = (ushort)(BinaryPrimitives.ReadUInt16BigEndian(body[(1 + 2 * i)..]) & 0x1FF);
        return flags;
    }

    private static int WriteTarget(Span<byte> body, Target target)
    {
        int hostLength = Encoding.ASCII.GetByteCount(target.Host);
        if (hostLength is 0 or > MaximumHost)
            throw new ArgumentException($"a target's host is 1 to {MaximumHost} bytes long");
        body[0] = (byte)hostLength;
        Encoding.ASCII.GetBytes(target.Host, body[1..]);
        BinaryPrimitives.WriteUInt16BigEndian(body[(1 + hostLength)..], target.Port);
        return 1 + hostLength + 2;
    }

    private static int WriteCapabilities(Span<byte> body, Capabilities capabilities)
    {
        BinaryPrimitives.WriteUInt32BigEndian(body, (uint)capabilities);
        return CapabilitiesLength;
    }

    private static int WriteFlags(Span<byte> body, IReadOnlyList<ushort> flags)
    {
        int count = Math.Min(flags.Count, MaximumFlags);
        body[0] = (byte)count;
        for (int i = 0; i < count; i++)
            BinaryPrimitives.WriteUInt16BigEndian(body[(1 + 2 * i)..], flags[i]);
        return 1 + 2 * count;
    }
}
