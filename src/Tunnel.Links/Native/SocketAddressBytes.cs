using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Tunnel.Links.Native;

/// <summary>
/// The kernel's sockaddr_in (16 bytes) and sockaddr_in6 (28 bytes): family in host order, port in network order at 2, the address at 4 or 8,
/// the v6 scope at 24.
/// </summary>
internal static class SocketAddressBytes
{
    internal const int V4Length = 16;
    internal const int V6Length = 28;

    internal static int Family(ReadOnlySpan<byte> address) =>
        address.Length < 2 ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(address);

    internal static int Port(ReadOnlySpan<byte> address) => BinaryPrimitives.ReadUInt16BigEndian(address[2..]);

    /// <summary>Writes a socket address and returns its length. <paramref name="destination"/> has 28 bytes or more.</summary>
    internal static int Write(IPAddress address, int port, Span<byte> destination)
    {
        bool v6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        int length = v6 ? V6Length : V4Length;
        destination[..length].Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)(v6 ? Linux.AF_INET6 : Linux.AF_INET));
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)port);
        address.TryWriteBytes(destination[(v6 ? 8 : 4)..], out _);
        if (v6)
            BinaryPrimitives.WriteUInt32LittleEndian(destination[24..], (uint)address.ScopeId);
        return length;
    }

    /// <summary>The address in a sockaddr_in or sockaddr_in6.</summary>
    internal static IPAddress Address(ReadOnlySpan<byte> address) =>
        Family(address) == Linux.AF_INET6 ? new IPAddress(address.Slice(8, 16)) : new IPAddress(address.Slice(4, 4));

    /// <summary>The same with the interface that a link-local address belongs to.</summary>
    internal static IPAddress ScopedAddress(ReadOnlySpan<byte> address) => Family(address) == Linux.AF_INET6
        ? new IPAddress(address.Slice(8, 16), BinaryPrimitives.ReadUInt32LittleEndian(address[24..]))
        : Address(address);

    /// <summary>Turns a sockaddr_in into the sockaddr_in6 of its v4-mapped address, which a dual-stack socket wants.</summary>
    internal static void MapToV6(ReadOnlySpan<byte> v4, Span<byte> v6)
    {
        v6[..V6Length].Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(v6, Linux.AF_INET6);
        v4.Slice(2, 2).CopyTo(v6[2..]);
        v6[18] = 0xFF;
        v6[19] = 0xFF;
        v4.Slice(4, 4).CopyTo(v6[20..]);
    }
}
