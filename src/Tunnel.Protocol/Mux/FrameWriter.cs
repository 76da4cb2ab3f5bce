using System.Buffers.Binary;

namespace Tunnel.Protocol.Mux;

/// <summary>One segment that is being filled with frames.</summary>
internal ref struct FrameWriter(Span<byte> destination, int version)
{
    private readonly Span<byte> _destination = destination;

    /// <summary>Bytes that have been written.</summary>
    public int Written { get; private set; }

    /// <summary>Bytes that are left.</summary>
    public readonly int Room => _destination.Length - Written;

    /// <summary>Writes a frame without data; false when there is no room.</summary>
    public bool TryWrite(MuxCommand command, uint id)
    {
        if (Room < MuxFrame.HeaderLength)
            return false;
        WriteHeader(command, 0, id);
        return true;
    }

    /// <summary>Writes a window update; false when there is no room for all of it.</summary>
    public bool TryWriteUpdate(uint id, uint consumed, uint window)
    {
        if (Room < MuxFrame.HeaderLength + MuxFrame.WindowUpdateLength)
            return false;
        WriteHeader(MuxCommand.WindowUpdate, MuxFrame.WindowUpdateLength, id);
        BinaryPrimitives.WriteUInt32LittleEndian(_destination[Written..], consumed);
        BinaryPrimitives.WriteUInt32LittleEndian(_destination[(Written + 4)..], window);
        Written += MuxFrame.WindowUpdateLength;
        return true;
    }

    /// <summary>Writes a header, for which there is room; so many bytes of data come behind it, in this segment or the next ones.</summary>
    public void WriteHeader(MuxCommand command, int length, uint id)
    {
        new MuxFrame((byte)version, command, (ushort)length, id).Write(_destination[Written..]);
        Written += MuxFrame.HeaderLength;
    }

    /// <summary>Writes as much of the data as there is room for; how much that was.</summary>
    public int Write(ReadOnlySpan<byte> data)
    {
        int count = Math.Min(data.Length, Room);
        data[..count].CopyTo(_destination[Written..]);
        Written += count;
        return count;
    }
}
