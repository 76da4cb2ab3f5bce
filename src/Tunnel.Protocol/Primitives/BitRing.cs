using System.Numerics;

namespace Tunnel.Protocol.Primitives;

/// <summary>A ring of bits in 64-bit words.</summary>
internal static class BitRing
{
    /// <summary>How far from <paramref name="start"/>, going round, the next set bit is; -1 when none is set.</summary>
    /// <param name="words">The bits.</param>
    /// <param name="start">Where to begin, inclusive.</param>
    /// <param name="count">Bits in the ring, a multiple of 64.</param>
    public static int NextSet(ReadOnlySpan<ulong> words, int start, int count)
    {
        int word = start >> 6;
        ulong bits = words[word] & (ulong.MaxValue << (start & 63));
        int wordCount = count >> 6;
        for (int i = 0; i <= wordCount; i++)
        {
            if (bits != 0)
            {
                int position = (word << 6) + BitOperations.TrailingZeroCount(bits);
                int distance = position - start;
                return distance >= 0 ? distance : distance + count;
            }

            word = word + 1 == wordCount ? 0 : word + 1;
            bits = words[word];
        }

        return -1;
    }
}
