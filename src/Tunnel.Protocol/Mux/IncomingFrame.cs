using System.Buffers.Binary;

namespace Tunnel.Protocol.Mux;

/// <summary>
/// The frame that is coming: its header as far as it is there, then how much of its data is missing. Segments end wherever they like, in the
/// middle of either.
/// </summary>
internal struct IncomingFrame
{
    private readonly byte[] _header = new byte[MuxFrame.HeaderLength + MuxFrame.WindowUpdateLength];
    private readonly int _version;
    private int _filled;

    /// <param name="version">The only one that is allowed.</param>
    public IncomingFrame(int version) => _version = version;

    /// <summary>The last whose header came.</summary>
    public MuxFrame Frame { get; private set; }

    /// <summary>All is there but the data of a stream: what a window update says counts as its header.</summary>
    public readonly bool IsWhole => _filled == 0;

    /// <summary>Bytes that are missing of a stream's data.</summary>
    public int DataLeft { get; private set; }

    /// <summary>What a window update says: the bytes that were consumed, modulo 2^32.</summary>
    public readonly uint Consumed => BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(MuxFrame.HeaderLength));

    /// <summary>What a window update says: the bytes that may be on their way.</summary>
    public readonly uint Window => BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(MuxFrame.HeaderLength + 4));

    /// <summary>smux allows it.</summary>
    public readonly bool IsAllowed => Frame.Version == _version && Frame.Command switch
    {
        MuxCommand.Open or MuxCommand.Finish or MuxCommand.KeepAlive or MuxCommand.Reset => Frame.Length == 0,
        MuxCommand.Data => true,
        MuxCommand.WindowUpdate => _version == 2 && Frame.Length == MuxFrame.WindowUpdateLength,
        _ => false,
    };

    /// <summary>
    /// Takes bytes of the header; true when it is there: look whether it <see cref="IsAllowed"/>. A window update's comes twice, before and
    /// after what it says.
    /// </summary>
    public bool TryTakeHeader(ref ReadOnlySpan<byte> data)
    {
        int wanted = MuxFrame.HeaderLength;
        if (_filled >= wanted)
            wanted += MuxFrame.WindowUpdateLength;
        int count = Math.Min(wanted - _filled, data.Length);
        data[..count].CopyTo(_header.AsSpan(_filled));
        data = data[count..];
        _filled += count;
        if (_filled != wanted)
            return false;
        Frame = MuxFrame.Read(_header);
        if (Frame.Command == MuxCommand.WindowUpdate && wanted == MuxFrame.HeaderLength)
            return true;
        _filled = 0;
        DataLeft = Frame.Command == MuxCommand.Data ? Frame.Length : 0;
        return true;
    }

    /// <summary>Takes what is there of the data.</summary>
    public ReadOnlySpan<byte> TakeData(ref ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<byte> taken = data[..Math.Min(DataLeft, data.Length)];
        data = data[taken.Length..];
        DataLeft -= taken.Length;
        return taken;
    }
}
