using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Tunnel.Protocol.Wire;

/// <summary>
/// The checksum of IP and TCP (RFC 1071): the complement of the one's complement sum of the data's big-endian 16-bit words.
/// A sum is carried between calls as a <c>uint</c>; only the last piece of the data may have an odd length.
/// </summary>
public static class InternetChecksum
{
    /// <summary>Adds <paramref name="data"/> to a sum. The result is at most 0xFFFF, so small numbers may be added to it freely.</summary>
    /// <param name="data">Any length, any alignment; an odd last byte counts as if a zero byte followed it.</param>
    /// <param name="initial">The sum so far.</param>
    public static uint Sum(ReadOnlySpan<byte> data, uint initial = 0)
    {
        // The sum does not care for byte order (RFC 1071, 2(B)): add in the machine's order, swap once at the end.
        ulong native = AddVectors(ref data) + AddTail(data);
        uint folded = FoldTo16(native);
        return FoldTo16(ToBigEndian(folded) + (ulong)initial);
    }

    /// <summary>The sum's complement: what stands in the checksum field, in host order.</summary>
    public static ushort Fold(uint sum) => (ushort)~FoldTo16(sum);

    /// <summary>
    /// The sum of the pseudo-header of TCP or UDP over IPv4 (RFC 9293, 3.1) or over IPv6 (RFC 8200, 8.1). Both formats sum to the
    /// same: addresses, length, protocol.
    /// </summary>
    /// <param name="source">4 or 16 bytes, network order.</param>
    /// <param name="destination">As many bytes as <paramref name="source"/>.</param>
    /// <param name="protocol">The upper protocol's number.</param>
    /// <param name="length">Bytes in the upper protocol's header and payload.</param>
    public static uint PseudoHeader(ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination, byte protocol, int length) =>
        Sum(source, Sum(destination, protocol)) + ((uint)length >> 16) + ((uint)length & 0xFFFF);

    private static ulong AddVectors(ref ReadOnlySpan<byte> data)
    {
        if (Vector256.IsHardwareAccelerated && data.Length >= Vector256<byte>.Count)
            return AddVectors256(ref data);
        if (Vector128.IsHardwareAccelerated && data.Length >= Vector128<byte>.Count)
            return AddVectors128(ref data);
        return 0;
    }

    // 32-bit words are summed in 64-bit lanes: the even words and the odd words of a vector apart, so that no carry is ever lost.
    private static ulong AddVectors256(ref ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<Vector256<ulong>> vectors = MemoryMarshal.Cast<byte, Vector256<ulong>>(data);
        Vector256<ulong> low = Vector256.Create(0xFFFF_FFFFUL);
        Vector256<ulong> even = default;
        Vector256<ulong> odd = default;
        for (int i = 0; i < vectors.Length; i++)
        {
            even += vectors[i] & low;
            odd += vectors[i] >>> 32;
        }

        data = data[(vectors.Length * Vector256<byte>.Count)..];
        return Vector256.Sum(even + odd);
    }

    private static ulong AddVectors128(ref ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<Vector128<ulong>> vectors = MemoryMarshal.Cast<byte, Vector128<ulong>>(data);
        Vector128<ulong> low = Vector128.Create(0xFFFF_FFFFUL);
        Vector128<ulong> even = default;
        Vector128<ulong> odd = default;
        for (int i = 0; i < vectors.Length; i++)
        {
            even += vectors[i] & low;
            odd += vectors[i] >>> 32;
        }

        data = data[(vectors.Length * Vector128<byte>.Count)..];
        return Vector128.Sum(even + odd);
    }

    private static ulong AddTail(ReadOnlySpan<byte> data)
    {
        ulong sum = 0;
        while (data.Length >= sizeof(uint))
        {
            sum += MemoryMarshal.Read<uint>(data);
            data = data[sizeof(uint)..];
        }

        if (data.Length >= sizeof(ushort))
        {
            sum += MemoryMarshal.Read<ushort>(data);
            data = data[sizeof(ushort)..];
        }

        if (!data.IsEmpty)
            sum += BitConverter.IsLittleEndian ? data[0] : (uint)data[0] << 8;
        return sum;
    }

    private static uint ToBigEndian(uint word) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness((ushort)word) : word;

    private static uint FoldTo16(ulong sum)
    {
        sum = (sum & 0xFFFF_FFFF) + (sum >> 32);
        sum = (sum & 0xFFFF) + ((sum >> 16) & 0xFFFF) + (sum >> 32);
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (uint)((sum & 0xFFFF) + (sum >> 16));
    }
}
