using System.Runtime.InteropServices;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Udp;

/// <summary>
/// Buffers for one recvmmsg, in native memory so that nothing is pinned or allocated per call. Each slot takes what the kernel merges at
/// most, 64 KiB; the kernel gives pages only to what is written, so that a link that is not busy holds some of its 2 MiB.
/// </summary>
internal sealed unsafe class UdpReceiveBatch : IDisposable
{
    internal const int Capacity = 32;

    // 22 cache lines more than 64 KiB: slots a multiple of a page apart would put the first lines of all into the same few sets.
    private const int SlotBytes = 65536 + (22 * 64);

    private readonly MessageHeader* _headers;
    private readonly IoVector* _vectors;
    private readonly byte* _names;
    private readonly ControlMessage* _controls;
    private readonly byte* _data;
    private bool _disposed;

    internal UdpReceiveBatch()
    {
        _headers = (MessageHeader*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(IoVector));
        _names = (byte*)NativeMemory.AllocZeroed(Capacity, SocketAddressBytes.V6Length);
        _controls = (ControlMessage*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(ControlMessage));
        _data = (byte*)NativeMemory.Alloc(Capacity, SlotBytes);
        for (int i = 0; i < Capacity; i++)
        {
            _vectors[i] = new IoVector { Base = _data + (i * SlotBytes), Length = SlotBytes };
            _headers[i] = new MessageHeader
            {
                Name = _names + (i * SocketAddressBytes.V6Length),
                Vectors = _vectors + i,
                VectorCount = 1,
                Control = _controls + i,
            };
        }
    }

    /// <summary>Reads what is there without waiting; the number of messages, or minus errno.</summary>
    internal int Read(int socket)
    {
        for (int i = 0; i < Capacity; i++)
        {
            _headers[i].NameLength = SocketAddressBytes.V6Length;
            _headers[i].ControlLength = (nuint)sizeof(ControlMessage);
        }

        int count = Libc.ReceiveMessages(socket, _headers, Capacity, MSG_DONTWAIT, null);
        return count >= 0 ? count : -Libc.LastError;
    }

    internal bool IsTruncated(int index) => (_headers[index].Flags & MSG_TRUNC) != 0;

    /// <summary>One datagram, or several of one sender that were merged.</summary>
    internal ReadOnlySpan<byte> Message(int index) => new(_vectors[index].Base, (int)_headers[index].Transferred);

    /// <summary>Bytes of each datagram but the last in a message; 0 when it is one datagram.</summary>
    internal int SegmentLength(int index)
    {
        ref ControlMessage control = ref _controls[index];
        bool told = _headers[index].ControlLength >= ControlMessage.HeaderLength + sizeof(int)
            && control is { Level: SOL_UDP, Type: UDP_GRO };
        return told ? (int)control.Data : 0;
    }

    internal ReadOnlySpan<byte> Sender(int index) => new(_headers[index].Name, (int)_headers[index].NameLength);

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        NativeMemory.Free(_headers);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_names);
        NativeMemory.Free(_controls);
        NativeMemory.Free(_data);
    }
}
