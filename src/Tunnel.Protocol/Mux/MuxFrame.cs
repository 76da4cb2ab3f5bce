using System.Buffers.Binary;

namespace Tunnel.Protocol.Mux;

/// <summary>What a smux frame is for.</summary>
public enum MuxCommand : byte
{
    /// <summary>Opens a stream.</summary>
    Open = 0,

    /// <summary>FIN: the sender writes no more.</summary>
    Finish = 1,

    /// <summary>PSH: data.</summary>
    Data = 2,

    /// <summary>NOP: keepalive.</summary>
    KeepAlive = 3,

    /// <summary>UPD, version 2: how much was consumed and how large the window is.</summary>
    WindowUpdate = 4,

    /// <summary>Ours, and only to peers that announced it: the stream broke, both ways.</summary>
    Reset = 5,
}

/// <summary>The 8-byte smux frame header, little-endian: version u8, command u8, length u16, stream id u32; then the data.</summary>
public readonly record struct MuxFrame(byte Version, MuxCommand Command, ushort Length, uint StreamId)
{
    public const int HeaderLength = 8;

    /// <summary>Data of a frame at most: what its length can say.</summary>
    public const int MaximumData = ushort.MaxValue;

    /// <summary>Data of a window update: consumed u32 LE, window u32 LE.</summary>
    public const int WindowUpdateLength = 8;

    /// <param name="source">At least 8 bytes.</param>
    public static MuxFrame Read(ReadOnlySpan<byte> source) => new(
        source[0], (MuxCommand)source[1], BinaryPrimitives.ReadUInt16LittleEndian(source[2..]), BinaryPrimitives.ReadUInt32LittleEndian(source[4..]));

    public void Write(Span<byte> destination)
    {
        destination[0] = Version;
        destination[1] = (byte)Command;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[2..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], StreamId);
    }
}
