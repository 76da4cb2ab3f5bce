using System.Buffers.Binary;
using System.Net;

namespace Tunnel.Links.Host.Netlink;

/// <summary>Builds one request: a header, a fixed part, attributes.</summary>
internal sealed class NetlinkRequest
{
    private const int HeaderLength = 16;

    private readonly byte[] _bytes = new byte[256];
    private int _length;

    internal NetlinkRequest(ushort type, ushort flags, ReadOnlySpan<byte> fixedPart)
    {
        Type = type;
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(4), type);
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(6), (ushort)(flags | Rtnetlink.NLM_F_REQUEST));
        fixedPart.CopyTo(_bytes.AsSpan(HeaderLength));
        _length = HeaderLength + NetlinkReader.Align(fixedPart.Length);
    }

    internal ushort Type { get; }

    internal NetlinkRequest Add(ushort type, ReadOnlySpan<byte> value)
    {
        Span<byte> attribute = _bytes.AsSpan(_length);
        BinaryPrimitives.WriteUInt16LittleEndian(attribute, (ushort)(4 + value.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(attribute[2..], type);
        value.CopyTo(attribute[4..]);
        _length += NetlinkReader.Align(4 + value.Length);
        return this;
    }

    internal NetlinkRequest Add(ushort type, IPAddress address) => Add(type, address.GetAddressBytes());

    internal NetlinkRequest Add(ushort type, int number)
    {
        Span<byte> value = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(value, number);
        return Add(type, value);
    }

    /// <summary>The request's bytes under that sequence number.</summary>
    internal ReadOnlySpan<byte> Finish(uint sequence)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes, (uint)_length);
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(8), sequence);
        return _bytes.AsSpan(0, _length);
    }
}
