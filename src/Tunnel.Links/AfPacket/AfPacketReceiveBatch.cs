using System.Runtime.InteropServices;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.AfPacket;

/// <summary>
/// Buffers for one recvmmsg, in native memory so that nothing is pinned or allocated per call. Each slot takes the longest IP packet
/// with its Ethernet and virtio headers; the kernel gives pages only to what is written.
/// </summary>
internal sealed unsafe class AfPacketReceiveBatch : IDisposable
{
    internal const int Capacity = 32;

    // 22 cache lines more than 64 KiB: slots a multiple of a page apart would put the first lines of all frames into the same few sets.
    private const int SlotBytes = 65536 + (22 * 64);

    private readonly MessageHeader* _headers;
    private readonly IoVector* _vectors;
    private readonly byte* _data;
    private bool _disposed;

    internal AfPacketReceiveBatch()
    {
        _headers = (MessageHeader*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(IoVector));
        _data = (byte*)NativeMemory.Alloc(Capacity, SlotBytes);
        for (int i = 0; i < Capacity; i++)
        {
            _vectors[i] = new IoVector { Base = _data + (i * SlotBytes), Length = SlotBytes };
            _headers[i] = new MessageHeader { Vectors = _vectors + i, VectorCount = 1 };
        }
    }

    /// <summary>Reads what is there without waiting; the number of frames, or minus errno.</summary>
    internal int Read(int socket)
    {
        int count = Libc.ReceiveMessages(socket, _headers, Capacity, MSG_DONTWAIT, null);
        return count >= 0 ? count : -Libc.LastError;
    }

    internal bool IsTruncated(int index) =>
        (_headers[index].Flags & MSG_TRUNC) != 0 || _headers[index].Transferred < VirtioHeader.Length;

    internal ReadOnlySpan<byte> Frame(int index) =>
        new((byte*)_vectors[index].Base + VirtioHeader.Length, (int)_headers[index].Transferred - VirtioHeader.Length);

    internal VirtioHeader Header(int index) => *(VirtioHeader*)_vectors[index].Base;

    internal int SegmentLength(int index) => ((VirtioHeader*)_vectors[index].Base)->SegmentLength;

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        NativeMemory.Free(_headers);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_data);
    }
}
