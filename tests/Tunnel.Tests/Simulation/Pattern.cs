namespace Tunnel.Tests.Simulation;

/// <summary>Endless pseudo-random bytes by key: what a stream carries, so that any byte out of place shows.</summary>
internal static class Pattern
{
    public static byte At(ulong key, long offset)
    {
        ulong z = key + ((ulong)offset >> 3) * 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return (byte)((z ^ (z >> 31)) >> (int)(8 * (offset & 7)));
    }

    public static void Fill(ulong key, long offset, Span<byte> destination)
    {
        for (int i = 0; i < destination.Length; i++)
            destination[i] = At(key, offset + i);
    }

    public static void Check(ulong key, long offset, ReadOnlySpan<byte> received)
    {
        for (int i = 0; i < received.Length; i++)
        {
            if (received[i] != At(key, offset + i))
                Assert.Fail($"byte {offset + i} is {received[i]}, not {At(key, offset + i)}");
        }
    }
}
