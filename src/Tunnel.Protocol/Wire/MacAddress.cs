using System.Globalization;

namespace Tunnel.Protocol.Wire;

/// <summary>A 48-bit Ethernet address, by value.</summary>
public readonly record struct MacAddress
{
    /// <summary>Bytes in an address.</summary>
    public const int Length = 6;

    private readonly ulong _bits;

    private MacAddress(ulong bits) => _bits = bits;

    /// <param name="bytes">At least 6 bytes, as on the wire; the first 6 are the address.</param>
    public static MacAddress FromBytes(ReadOnlySpan<byte> bytes)
    {
        ulong bits = 0;
        foreach (byte octet in bytes[..Length])
            bits = bits << 8 | octet;
        return new(bits);
    }

    /// <summary>Reads <c>aa:bb:cc:dd:ee:ff</c> or <c>aa-bb-cc-dd-ee-ff</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress address)
    {
        address = default;
        if (text.Length != 3 * Length - 1)
            return false;
        ulong bits = 0;
        for (int i = 0; i < text.Length; i += 3)
        {
            if (i > 0 && (text[i - 1] is not (':' or '-') || text[i - 1] != text[2]))
                return false;
            if (!byte.TryParse(text.Slice(i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte octet))
                return false;
            bits = bits << 8 | octet;
        }

        address = new(bits);
        return true;
    }

    /// <summary>Writes the address's 6 bytes.</summary>
    public void WriteTo(Span<byte> destination)
    {
        for (int i = 0; i < Length; i++)
            destination[i] = Octet(i);
    }

    public override string ToString() =>
        $"{Octet(0):x2}:{Octet(1):x2}:{Octet(2):x2}:{Octet(3):x2}:{Octet(4):x2}:{Octet(5):x2}";

    private byte Octet(int index) => (byte)(_bits >> (8 * (Length - 1 - index)));
}
