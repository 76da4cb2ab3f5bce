using Tunnel.Protocol.Primitives;

namespace Tunnel.Tests.Simulation;

/// <summary>What one stream of a scenario does.</summary>
/// <param name="ByClient">Which end opens it.</param>
/// <param name="OpenAt">Milliseconds after the start.</param>
/// <param name="Key">Of the bytes that the opener writes; the other end's have the next key.</param>
/// <param name="OpenerBytes">The opener writes so many.</param>
/// <param name="OtherBytes">The other end writes so many.</param>
/// <param name="LargestWrite">Bytes of a write at most.</param>
/// <param name="Pause">Milliseconds between actions at most.</param>
/// <param name="AbortAt">Milliseconds after its opening at which the opener closes it whatever is under way; -1 for never.</param>
internal sealed record StreamPlan(
    bool ByClient, long OpenAt, ulong Key, int OpenerBytes, int OtherBytes, int LargestWrite, int Pause, long AbortAt)
{
    private const int MaximumWrites = 200;

    public bool Aborts => AbortAt >= 0;

    public static StreamPlan Draw(ref Prng random)
    {
        int largestWrite = 1 + random.Next(random.Chance(0.5) ? 200 : 20_000);

        // A write may have to wait for the flush interval: many small ones would only take long.
        int limit = largestWrite * MaximumWrites;
        return new StreamPlan(
            random.Chance(0.8),
            random.Next(3000),
            random.NextUInt64(),
            Math.Min(limit, DrawSize(ref random)),
            Math.Min(limit, DrawSize(ref random)),
            largestWrite,
            random.Chance(0.5) ? 0 : 1 + random.Next(50),
            random.Chance(0.15) ? random.Next(5000) : -1);
    }

    private static int DrawSize(ref Prng random) => random.Next(5) switch
    {
        0 => 0,
        1 => random.Next(200),
        2 or 3 => random.Next(20_000),
        _ => random.Next(150_000),
    };
}
