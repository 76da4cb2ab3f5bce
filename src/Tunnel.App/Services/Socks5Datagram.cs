using System.Buffers.Binary;
using System.Net;
using System.Text;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>
/// The header of a datagram between a SOCKS5 client and its relay (RFC 1928, section 7):
/// <c>00 00 | fragment u8 | address type u8 | address | port u16 BE</c>, then the data.
/// </summary>
internal static class Socks5Datagram
{
    private const int PrefixLength = 4;
    private const int FragmentAt = 2;
    private const int TypeAt = 3;
    private const byte AddressIPv4 = 1;
    private const byte AddressName = 3;
    private const byte AddressIPv6 = 4;

    /// <summary>Reads a header; null when all is well, or why the datagram is to be dropped.</summary>
    /// <param name="datagram">As it came.</param>
    /// <param name="target">Where it is to go.</param>
    /// <param name="length">The header's length.</param>
    public static UdpDrop? Read(ReadOnlySpan<byte> datagram, out Target target, out int length)
    {
        target = default;
        length = 0;
        if (datagram.Length < PrefixLength + 1 || datagram[0] != 0 || datagram[1] != 0)
            return UdpDrop.Malformed;
        if (datagram[FragmentAt] != 0)
            return UdpDrop.Fragment;
        int addressAt = datagram[TypeAt] == AddressName ? PrefixLength + 1 : PrefixLength;
        int addressLength = datagram[TypeAt] switch
        {
            AddressIPv4 => 4,
            AddressIPv6 => 16,
            AddressName => datagram[PrefixLength],
            _ => -1,
        };
        length = addressAt + addressLength + 2;
        if (addressLength < 0 || datagram.Length < length)
            return UdpDrop.Malformed;
        string? host = Host(datagram[TypeAt], datagram.Slice(addressAt, addressLength));
        if (host is null)
            return UdpDrop.Malformed;
        target = new Target(host, BinaryPrimitives.ReadUInt16BigEndian(datagram[(length - 2)..]));
        return null;
    }

    private static string? Host(byte type, ReadOnlySpan<byte> address)
    {
        if (type != AddressName)
            return new IPAddress(address).ToString();
        bool isName = address.Length is > 0 and <= Target.MaximumHost && !address.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E);
        return isName ? Encoding.ASCII.GetString(address) : null;
    }
}
