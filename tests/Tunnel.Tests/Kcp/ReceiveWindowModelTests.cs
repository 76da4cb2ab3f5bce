using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Kcp;

/// <summary>The receive window's ring against a dictionary.</summary>
public class ReceiveWindowModelTests
{
    [Fact]
    public void AgreesWithTheModel() => TestSeed.Run(150, seed =>
    {
        var random = new Prng(seed);
        int size = 1 + random.Next(random.Chance(0.5) ? 8 : 300);
        uint first = random.Chance(0.5) ? uint.MaxValue - (uint)random.Next(200) : 0, next = first;
        var window = new ReceiveWindow(size, 10, first);
        var model = new Dictionary<uint, byte[]>();
        for (int i = 0; i < 2000; i++)
        {
            uint number = next + (uint)random.Next(size + 20) - 10;
            byte[] data = new byte[random.Next(random.Chance(0.01) ? 30 : 11)];
            random.Fill(data);
            int ahead = (int)(number - next);
            Assert.Equal(ahead < size, window.IsAcceptable(number));
            if (ahead < size && random.Chance(0.7))
                Assert.Equal(ahead >= 0 && model.TryAdd(number, data), window.TryStore(number, data));
            window.Advance();
            while (model.ContainsKey(next) && (int)(next - first) < size)
                next++;
            for (int n = random.Next(4); n > 0 && window.TryPeek(out ReadOnlySpan<byte> head); n--)
            {
                Assert.Equal(model[first], head.ToArray());
                model.Remove(first++);
                window.Take();
                window.Advance();
                while (model.ContainsKey(next) && (int)(next - first) < size)
                    next++;
            }

            Assert.Equal((first, next, model.Count != 0), (window.First, window.Next, window.HasStored));
            Assert.Equal(size - (int)(next - first), window.Free);
            if (random.Chance(0.05))
                window.Trim();
            if (random.Chance(0.05))
                window.Reclaim();
        }
    });
}
