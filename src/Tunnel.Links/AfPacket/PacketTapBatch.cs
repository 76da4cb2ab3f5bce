using System.Runtime.InteropServices;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.AfPacket;

/// <summary>Buffers for one recvmmsg of a tap: frames with their virtio headers, link-layer addresses and kernel times.</summary>
internal sealed unsafe class PacketTapBatch : IDisposable
{
    private const int Capacity = 16;
    private const int SlotBytes = 65536 + (22 * 64);
    private const int NameBytes = 32;
    private const int PacketTypeOffset = 10;
    private const byte PacketOutgoing = 4;

    // struct cmsghdr: length 8, level 4, type 4; then seconds 8 and nanoseconds 8.
    private const int ControlBytes = 64;
    private const int ControlLevelOffset = 8;
    private const int ControlTypeOffset = 12;
    private const int ControlDataOffset = 16;
    private const int ControlLength = 32;

    private readonly MessageHeader* _headers = (MessageHeader*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(MessageHeader));
    private readonly IoVector* _vectors = (IoVector*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(IoVector));
    private readonly byte* _names = (byte*)NativeMemory.AllocZeroed(Capacity, NameBytes);
    private readonly byte* _control = (byte*)NativeMemory.AllocZeroed(Capacity, ControlBytes);
    private readonly byte* _data = (byte*)NativeMemory.Alloc(Capacity, SlotBytes);
    private bool _disposed;

    /// <summary>Reads what is there without waiting; the number of frames, or minus errno.</summary>
    internal int Read(int socket)
    {
        for (int i = 0; i < Capacity; i++)
        {
            _vectors[i] = new IoVector { Base = _data + (i * SlotBytes), Length = SlotBytes };
            _headers[i] = new MessageHeader
            {
                Name = _names + (i * NameBytes),
                NameLength = NameBytes,
                Vectors = _vectors + i,
                VectorCount = 1,
                Control = _control + (i * ControlBytes),
                ControlLength = ControlBytes,
            };
        }

        int count = Libc.ReceiveMessages(socket, _headers, Capacity, MSG_DONTWAIT, null);
        return count >= 0 ? count : -Libc.LastError;
    }

    internal ReadOnlySpan<byte> Frame(int index)
    {
        int length = Math.Max(0, (int)_headers[index].Transferred - VirtioHeader.Length);
        return new((byte*)_vectors[index].Base + VirtioHeader.Length, length);
    }

    internal TappedFrame Info(int index)
    {
        bool outgoing = _names[(index * NameBytes) + PacketTypeOffset] == PacketOutgoing;
        VirtioHeader header = *(VirtioHeader*)_vectors[index].Base;
        return new TappedFrame(Time(index), outgoing, header.Kind == 0 ? 0 : header.PartLength);
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        NativeMemory.Free(_headers);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_names);
        NativeMemory.Free(_control);
        NativeMemory.Free(_data);
    }

    private long Time(int index)
    {
        byte* control = _control + (index * ControlBytes);
        bool stamped = _headers[index].ControlLength >= ControlLength
            && *(int*)(control + ControlLevelOffset) == SOL_SOCKET && *(int*)(control + ControlTypeOffset) == SO_TIMESTAMPNS;
        long* time = (long*)(control + ControlDataOffset);
        return stamped ? (time[0] * 1_000_000_000) + time[1] : (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
    }
}
