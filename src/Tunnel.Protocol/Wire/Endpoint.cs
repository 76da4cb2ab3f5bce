using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Tunnel.Protocol.Wire;

/// <summary>
/// An IP address and a port, by value: what a peer is known by (WIRE 5d.2). IPv4 addresses are kept in their IPv4-mapped IPv6
/// form, so that the same host has one key.
/// </summary>
public readonly record struct Endpoint
{
    private const ulong MappedPrefix = 0x0000_0000_0000_FFFF;

    private readonly ulong _high;
    private readonly ulong _low;

    private Endpoint(ulong high, ulong low, ushort port)
    {
        _high = high;
        _low = low;
        Port = port;
    }

    public ushort Port { get; }

    public bool IsIPv4 => _high == 0 && _low >> 32 == MappedPrefix;

    /// <param name="address">4 bytes (IPv4) or 16 (IPv6), network order.</param>
    /// <param name="port">Host order.</param>
    /// <exception cref="ArgumentException">The address is neither 4 nor 16 bytes.</exception>
    public static Endpoint FromBytes(ReadOnlySpan<byte> address, ushort port) => address.Length switch
    {
        4 => new(0, MappedPrefix << 32 | BinaryPrimitives.ReadUInt32BigEndian(address), port),
        16 => new(BinaryPrimitives.ReadUInt64BigEndian(address), BinaryPrimitives.ReadUInt64BigEndian(address[8..]), port),
        _ => throw new ArgumentException("an address is 4 or 16 bytes", nameof(address)),
    };

    public static Endpoint FromIPEndPoint(IPEndPoint endPoint)
    {
        Span<byte> bytes = stackalloc byte[16];
        endPoint.Address.TryWriteBytes(bytes, out int length);
        return FromBytes(bytes[..length], (ushort)endPoint.Port);
    }

    /// <summary>Writes 4 bytes for an IPv4 address, 16 for an IPv6 one, network order; returns how many.</summary>
    public int WriteAddress(Span<byte> destination)
    {
        if (IsIPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)_low);
            return 4;
        }

        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
        return 16;
    }

    public IPEndPoint ToIPEndPoint()
    {
        Span<byte> bytes = stackalloc byte[16];
        int length = WriteAddress(bytes);
        return new IPEndPoint(new IPAddress(bytes[..length]), Port);
    }

    /// <summary>The same address with another port.</summary>
    public Endpoint WithPort(ushort port) => new(_high, _low, port);

    public override string ToString() => ToIPEndPoint().ToString();
}
