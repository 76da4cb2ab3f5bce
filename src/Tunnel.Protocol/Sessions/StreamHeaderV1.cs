using System.Buffers.Binary;

namespace Tunnel.Protocol.Sessions;

/// <summary>
/// <c>50 01 | type u8 | body length u16 BE | body</c>. The body of TCP and UDP is <c>host length u8 | host | port u16 BE</c>, of a
/// flags announcement <c>count u8 | count x u16 BE</c>, of capabilities <c>bits u32 BE</c> and whatever later versions add, of a reverse
/// forward its <see cref="ReverseName"/> and then as TCP, and empty otherwise.
/// </summary>
internal static class StreamHeaderV1
{
    public const byte Magic = 0x50;
    public const byte Version = 0x01;

    private const int PrefixLength = 5;
    private const int CapabilitiesLength = 4;

    /// <param name="source">At least the two bytes that tell the format, already seen to be right.</param>
    /// <param name="header">What was read.</param>
    /// <param name="length">What it took, or how many bytes there are at least.</param>
    public static HeaderStatus TryRead(ReadOnlySpan<byte> source, out StreamHeader? header, out int length)
    {
        header = null;
        length = PrefixLength;
        if (source.Length < PrefixLength)
            return HeaderStatus.Incomplete;
        length += BinaryPrimitives.ReadUInt16BigEndian(source[3..]);
        if (source.Length < length)
            return HeaderStatus.Incomplete;
        header = ReadBody((StreamRequest)source[2], source[PrefixLength..length]);
        return header is null ? HeaderStatus.Invalid : HeaderStatus.Complete;
    }

    public static int Write(StreamHeader header, Span<byte> destination)
    {
        destination[0] = Magic;
        destination[1] = Version;
        destination[2] = (byte)header.Request;
        Span<byte> body = destination[PrefixLength..];
        int bodyLength = header.HasName ? header.Reverse.Write(body) + WriteTarget(body[ReverseName.Length..], header.Target)
            : header.HasTarget ? WriteTarget(body, header.Target)
            : header.Request == StreamRequest.Capabilities ? WriteCapabilities(body, header.Capabilities)
            : header.Request == StreamRequest.Flags ? FlagList.Write(body, header.Flags ?? [])
            : 0;
        BinaryPrimitives.WriteUInt16BigEndian(destination[3..], (ushort)bodyLength);
        return PrefixLength + bodyLength;
    }

    private static StreamHeader? ReadBody(StreamRequest request, ReadOnlySpan<byte> body)
    {
        switch (request)
        {
            case StreamRequest.Ping or StreamRequest.Pong or StreamRequest.Goodbye or StreamRequest.Draining:
                return body.IsEmpty ? new StreamHeader(request) : null;
            case StreamRequest.Capabilities:
                return body.Length < CapabilitiesLength
                    ? null
                    : new StreamHeader(request, Capabilities: (Capabilities)BinaryPrimitives.ReadUInt32BigEndian(body));
            case StreamRequest.Tcp or StreamRequest.Udp or StreamRequest.Dial or StreamRequest.UdpFramed:
                return ReadTarget(body) is { } target ? new StreamHeader(request, target) : null;
            case StreamRequest.Reverse or StreamRequest.Connection:
                return ReverseName.Read(body) is { } name && ReadTarget(body[ReverseName.Length..]) is { } address
                    ? new StreamHeader(request, address, Reverse: name)
                    : null;
            case StreamRequest.Flags:
                return !body.IsEmpty && body.Length == FlagList.LengthOf(body[0]) && FlagList.Read(body) is { } flags
                    ? new StreamHeader(request, default, flags)
                    : null;
            default:
                return null;
        }
    }

    private static Target? ReadTarget(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty || body.Length != 1 + body[0] + 2 || Target.ReadHost(body.Slice(1, body[0])) is not { } host)
            return null;
        return new Target(host, BinaryPrimitives.ReadUInt16BigEndian(body[^2..]));
    }

    private static int WriteCapabilities(Span<byte> body, Capabilities capabilities)
    {
        BinaryPrimitives.WriteUInt32BigEndian(body, (uint)capabilities);
        return CapabilitiesLength;
    }

    private static int WriteTarget(Span<byte> body, Target target)
    {
        int hostLength = target.WriteHost(body[1..]);
        body[0] = (byte)hostLength;
        BinaryPrimitives.WriteUInt16BigEndian(body[(1 + hostLength)..], target.Port);
        return 1 + hostLength + 2;
    }
}
