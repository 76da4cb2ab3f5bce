namespace Tunnel.Links.Memory;

/// <summary>splitmix64: small, seeded, the same on every machine. For faults, not for secrets.</summary>
internal struct WireRandom(ulong seed)
{
    private ulong _state = seed;

    internal ulong NextUInt64()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number in [0, bound). <paramref name="bound"/> is positive.</summary>
    internal long Next(long bound) => (long)Math.BigMul(NextUInt64(), (ulong)bound, out _);

    /// <summary>True with the given probability. Draws no number for 0, so that a fault that is off changes nothing for the others.</summary>
    internal bool Chance(double probability) => probability > 0 && (NextUInt64() >> 11) * (1.0 / (1UL << 53)) < probability;
}
