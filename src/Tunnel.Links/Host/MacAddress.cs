using System.Globalization;

namespace Tunnel.Links.Host;

/// <summary>An Ethernet address: six bytes, kept in the low 48 bits with the first byte on top.</summary>
public readonly record struct MacAddress(ulong Value)
{
    public const int Length = 6;

    /// <summary>The address of loopback and of interfaces that have none.</summary>
    public bool IsZero => Value == 0;

    public static MacAddress Read(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (int i = 0; i < Length; i++)
            value = (value << 8) | bytes[i];
        return new MacAddress(value);
    }

    public void CopyTo(Span<byte> destination)
    {
        for (int i = 0; i < Length; i++)
            destination[i] = (byte)(Value >> (8 * (Length - 1 - i)));
    }

    /// <summary>Reads six pairs of hexadecimal digits with colons or hyphens between them.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress address)
    {
        address = default;
        if (text.Length != 17)
            return false;

        ulong value = 0;
        for (int i = 0; i < text.Length; i += 3)
        {
            if (!byte.TryParse(text.Slice(i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte part))
                return false;
            if (i > 0 && text[i - 1] is not (':' or '-'))
                return false;
            value = (value << 8) | part;
        }

        address = new MacAddress(value);
        return true;
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{B(40):x2}:{B(32):x2}:{B(24):x2}:{B(16):x2}:{B(8):x2}:{B(0):x2}");

    private byte B(int shift) => (byte)(Value >> shift);
}
