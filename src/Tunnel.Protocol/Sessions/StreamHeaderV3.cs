using System.Buffers.Binary;

namespace Tunnel.Protocol.Sessions;

/// <summary>
/// <c>type u8 | parts u8</c>; with part 1 an address, <c>host length u16 BE | host | port u16 BE</c>; with part 2 bitmasks,
/// <c>count u8 | count x u16 BE</c>.
/// </summary>
internal static class StreamHeaderV3
{
    public const byte AllParts = AddressPart | FlagsPart;

    private const byte AddressPart = 1;
    private const byte FlagsPart = 2;
    private const int PrefixLength = 2;

    /// <param name="source">At least the two bytes that tell the format, already seen to be right.</param>
    /// <param name="header">What was read.</param>
    /// <param name="length">What it took, or how many bytes there are at least.</param>
    public static HeaderStatus TryRead(ReadOnlySpan<byte> source, out StreamHeader? header, out int length)
    {
        header = null;
        length = PrefixLength;
        Target target = default;
        ushort[]? flags = null;
        if ((source[1] & AddressPart) != 0)
        {
            HeaderStatus status = TryReadTarget(source, ref length, out target);
            if (status != HeaderStatus.Complete)
                return status;
        }

        if ((source[1] & FlagsPart) != 0)
        {
            HeaderStatus status = TryReadFlags(source, ref length, out flags);
            if (status != HeaderStatus.Complete)
                return status;
        }

        return Make((StreamRequest)source[0], target, flags, out header);
    }

    public static int Write(StreamHeader header, Span<byte> destination)
    {
        destination[0] = (byte)header.Request;
        destination[1] = header.HasTarget ? AddressPart : header.Request == StreamRequest.Flags ? FlagsPart : (byte)0;
        if (header.Request == StreamRequest.Flags)
            return PrefixLength + FlagList.Write(destination[PrefixLength..], header.Flags ?? []);
        return header.HasTarget ? PrefixLength + WriteTarget(destination[PrefixLength..], header.Target) : PrefixLength;
    }

    private static HeaderStatus TryReadTarget(ReadOnlySpan<byte> source, ref int length, out Target target)
    {
        target = default;
        int start = length + 2;
        length = start;
        if (source.Length < length)
            return HeaderStatus.Incomplete;
        int hostLength = BinaryPrimitives.ReadUInt16BigEndian(source[(start - 2)..]);
        if (hostLength is 0 or > Target.MaximumHost)
            return HeaderStatus.Invalid;
        length += hostLength + 2;
        if (source.Length < length)
            return HeaderStatus.Incomplete;
        if (Target.ReadHost(source.Slice(start, hostLength)) is not { } host)
            return HeaderStatus.Invalid;
        target = new Target(host, BinaryPrimitives.ReadUInt16BigEndian(source[(start + hostLength)..]));
        return HeaderStatus.Complete;
    }

    private static HeaderStatus TryReadFlags(ReadOnlySpan<byte> source, ref int length, out ushort[]? flags)
    {
        flags = null;
        int start = length;
        length++;
        if (source.Length < length)
            return HeaderStatus.Incomplete;
        if (source[start] > StreamHeader.MaximumFlags)
            return HeaderStatus.Invalid;
        length = start + FlagList.LengthOf(source[start]);
        if (source.Length < length)
            return HeaderStatus.Incomplete;
        flags = FlagList.Read(source[start..]);
        return HeaderStatus.Complete;
    }

    /// <summary>Parts that a request has no use for are let be: the fork's reader does not mind them either.</summary>
    private static HeaderStatus Make(StreamRequest request, Target target, ushort[]? flags, out StreamHeader? header)
    {
        header = request switch
        {
            StreamRequest.Tcp or StreamRequest.Udp => target.Host is null ? null : new StreamHeader(request, target),
            StreamRequest.Flags => flags is null ? null : new StreamHeader(request, default, flags),
            _ => new StreamHeader(request),
        };
        return header is null ? HeaderStatus.Invalid : HeaderStatus.Complete;
    }

    private static int WriteTarget(Span<byte> destination, Target target)
    {
        int hostLength = target.WriteHost(destination[2..]);
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)hostLength);
        BinaryPrimitives.WriteUInt16BigEndian(destination[(2 + hostLength)..], target.Port);
        return 2 + hostLength + 2;
    }
}
