using System.Runtime.InteropServices;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Udp;

/// <summary>
/// Buffers for one recvmmsg, in native memory so that nothing is pinned or allocated per call. Each slot could take the largest
/// datagram there is; the kernel gives pages only to what is written.
/// </summary>
internal sealed unsafe class UdpReceiveBatch : IDisposable
{
    internal const int Capacity = 64;
    private const int SlotBytes = 65536;

    private readonly MessageHeader* _headers;
    private readonly IoVector* _vectors;
    private readonly byte* _names;
    private readonly byte* _data;
    private bool _disposed;

    internal UdpReceiveBatch()
    {
        _headers = (MessageHeader*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(IoVector));
        _names = (byte*)NativeMemory.AllocZeroed(Capacity, SocketAddressBytes.V6Length);
        _data = (byte*)NativeMemory.Alloc(Capacity, SlotBytes);
        for (int i = 0; i < Capacity; i++)
        {
            _vectors[i] = new IoVector { Base = _data + (i * SlotBytes), Length = SlotBytes };
            _headers[i] = new MessageHeader
            {
                Name = _names + (i * SocketAddressBytes.V6Length),
                Vectors = _vectors + i,
                VectorCount = 1,
            };
        }
    }

    /// <summary>Reads what is there without waiting; the number of datagrams, or minus errno.</summary>
    internal int Read(int socket)
    {
        for (int i = 0; i < Capacity; i++)
            _headers[i].NameLength = SocketAddressBytes.V6Length;
        int count = Libc.ReceiveMessages(socket, _headers, Capacity, MSG_DONTWAIT, null);
        return count >= 0 ? count : -Libc.LastError;
    }

    internal bool IsTruncated(int index) => (_headers[index].Flags & MSG_TRUNC) != 0;

    internal ReadOnlySpan<byte> Datagram(int index) => new(_vectors[index].Base, (int)_headers[index].Transferred);

    internal ReadOnlySpan<byte> Sender(int index) => new(_headers[index].Name, (int)_headers[index].NameLength);

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        NativeMemory.Free(_headers);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_names);
        NativeMemory.Free(_data);
    }
}
