using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tunnel.Protocol.Crypto;

/// <summary>The powers of GHASH's key H (NIST SP 800-38D, section 6.4), enough for every block of a datagram to have its own.</summary>
internal sealed class GhashKey
{
    /// <summary>The highest power: 128 blocks and the block of lengths.</summary>
    public const int Powers = 129;

    /// <summary>How far behind a power the sum of its halves lies (in both halves), which Karatsuba's multiplication needs.</summary>
    public const int ToHalves = Powers + Padding;

    // The steps of the widest sum may go beyond the last block; what they find there is zero.
    private const int Padding = 3;

    // From the highest power down to the first, so that consecutive blocks meet consecutive entries.
    private readonly Vector128<ulong>[] _powers = new Vector128<ulong>[2 * ToHalves];

    /// <param name="zero">The encrypted block of zeros.</param>
    public GhashKey(Vector128<byte> zero)
    {
        Vector128<ulong> h = TimesX(Reverse(zero));
        Set(Powers - 1, h);
        for (int i = Powers - 2; i >= 0; i--)
            Set(i, Multiply(h, ref _powers[i + 1]));
    }

    /// <summary>A block as an operand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Reverse(Vector128<byte> block) =>
        Vector128.Shuffle(block, Vector128.Create((byte)15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)).AsUInt64();

    /// <summary>Where the powers for a run of <paramref name="blocks"/> blocks begin: that power, then each next lower one.</summary>
    public ref Vector128<ulong> From(int blocks) => ref _powers[Powers - blocks];

    public void Clear() => Array.Clear(_powers);

    private void Set(int index, Vector128<ulong> power)
    {
        _powers[index] = power;
        _powers[index + ToHalves] = Vector128.Create(power[0] ^ power[1]);
    }

    private static Vector128<ulong> Multiply(Vector128<ulong> value, ref Vector128<ulong> power)
    {
        GhashSum128 sum = default;
        sum.Add(value, ref power);
        return sum.Reduce();
    }

    // Reversing the bytes but not the bits leaves every product one bit short; a key that is doubled once makes up for it.
    private static Vector128<ulong> TimesX(Vector128<ulong> h)
    {
        ulong low = h[0], high = h[1], carry = 0 - (high >> 63);
        return Vector128.Create(low << 1 ^ (carry & 1), (high << 1 | low >> 63) ^ (carry & 0xC200_0000_0000_0000));
    }
}
