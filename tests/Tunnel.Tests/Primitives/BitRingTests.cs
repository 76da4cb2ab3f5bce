using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Primitives;

public class BitRingTests
{
    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(512)]
    public void AgreesWithASearch(int count) => TestSeed.Run(100, seed =>
    {
        var random = new Prng(seed);
        var words = new ulong[count / 64];
        for (int bits = random.Next(6); bits > 0; bits--)
        {
            int bit = random.Next(count);
            words[bit >> 6] |= 1UL << (bit & 63);
        }

        for (int start = 0; start < count; start++)
        {
            int expected = Enumerable.Range(0, count).FirstOrDefault(d => IsSet(words, (start + d) % count), -1);
            Assert.Equal(expected, BitRing.NextSet(words, start, count));
        }
    });

    private static bool IsSet(ulong[] words, int bit) => (words[bit >> 6] >> (bit & 63) & 1) != 0;
}
