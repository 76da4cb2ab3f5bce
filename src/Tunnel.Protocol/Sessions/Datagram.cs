using System.Buffers.Binary;
using Tunnel.Protocol.Kcp;

namespace Tunnel.Protocol.Sessions;

/// <summary>What an opened datagram is, told apart as kcp-go does: by the two bytes that are a segment's command or a FEC type.</summary>
public static class Datagram
{
    private const int TypeOffset = 4;
    private const ushort FecData = 0xF1;
    private const ushort FecParity = 0xF2;
    private const ushort OutOfBand = 0xF3;
    private const int MinimumLength = 12;

    public static DropReason Classify(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < MinimumLength)
            return DropReason.TooShort;
        ushort type = BinaryPrimitives.ReadUInt16LittleEndian(payload[TypeOffset..]);
        if (type is FecData or FecParity or OutOfBand)
            return DropReason.Fec;
        return payload.Length < KcpSegment.HeaderLength ? DropReason.TooShort : DropReason.None;
    }
}
