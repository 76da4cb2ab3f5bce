using Tunnel.Protocol.Primitives;

namespace Tunnel.Tests.Wire;

/// <summary>Runs a body once for each of many seeds; a failure names its seed.</summary>
internal static class Seeded
{
    public delegate void Body(ref Prng prng);

    public static void Repeat(int times, Body body)
    {
        for (ulong seed = 1; seed <= (ulong)times; seed++)
        {
            Prng prng = new(seed);
            try
            {
                body(ref prng);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"failed with seed {seed}", failure);
            }
        }
    }

    public static byte[] NextBytes(this ref Prng prng, int length)
    {
        byte[] bytes = new byte[length];
        prng.Fill(bytes);
        return bytes;
    }
}
