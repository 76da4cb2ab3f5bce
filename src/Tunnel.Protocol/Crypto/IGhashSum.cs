using System.Runtime.Intrinsics;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// A sum of 256-bit products over GF(2), not yet reduced: as long as every block of a message has its own power of the key to be
/// multiplied by, one reduction at the end is enough. Operands are byte-reversed blocks, the form in which GHASH's bit order is
/// the processor's (Gueron and Kounavis, "Efficient Implementation of the Galois Counter Mode", and RFC 8452, appendix A).
/// Each product takes three multiplications (Karatsuba): low by low, high by high, and the sums of the halves for the middle.
/// The implementations differ in how many blocks the processor multiplies at once.
/// </summary>
internal interface IGhashSum
{
    static abstract bool IsSupported { get; }

    /// <summary>Blocks a step: 1, 2 or 4.</summary>
    static abstract int Lanes { get; }

    /// <summary>Adds one product; <paramref name="power"/> lies in a <see cref="GhashKey"/>, as the halves' sum behind it does.</summary>
    void Add(Vector128<ulong> value, ref Vector128<ulong> power);

    /// <summary>Adds the products of <see cref="Lanes"/> consecutive blocks, as they lie in the message, and consecutive powers.</summary>
    void AddLanes(ref byte blocks, ref Vector128<ulong> powers);

    /// <summary>The sum times x^-128 modulo GHASH's polynomial.</summary>
    Vector128<ulong> Reduce();
}
