using System.Numerics;

namespace Tunnel.Protocol.Wire;

/// <summary>Flags as one word of configuration, a letter a flag: <c>PA</c>, <c>S</c>, <c>FA</c>. Letters are FSRPAUECN.</summary>
public static class TcpFlagNames
{
    // The letter's place is the flag's bit.
    private const string Letters = "FSRPAUECN";

    /// <summary>Any order, either case; at least one letter, none twice.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ushort flags)
    {
        flags = 0;
        foreach (char letter in text)
        {
            int bit = Letters.IndexOf(char.ToUpperInvariant(letter), StringComparison.Ordinal);
            if (bit < 0 || (flags & 1 << bit) != 0)
                return false;
            flags |= (ushort)(1 << bit);
        }

        return flags != 0;
    }

    /// <summary>The letters in the order of the bits; empty for no flags. Bits beyond NS are left out.</summary>
    public static string Format(ushort flags)
    {
        uint known = (uint)(flags & TcpFlags.All);
        return string.Create(BitOperations.PopCount(known), known, static (text, rest) =>
        {
            for (int i = 0; i < text.Length; i++, rest &= rest - 1)
                text[i] = Letters[BitOperations.TrailingZeroCount(rest)];
        });
    }
}
