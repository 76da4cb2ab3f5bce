using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Primitives;

public class ByteQueueTests
{
    [Fact]
    public void AgreesWithAQueue() => TestSeed.Run(100, seed =>
    {
        var random = new Prng(seed);
        var pool = new BlockPool();
        var queue = new ByteQueue(pool);
        var model = new Queue<byte>();
        byte[] buffer = new byte[10_000];
        for (int i = 0; i < 200; i++)
        {
            int count = random.Next(random.Chance(0.1) ? buffer.Length : 100);
            if (random.Chance(0.5))
            {
                random.Fill(buffer.AsSpan(0, count));
                queue.Write(buffer.AsSpan(0, count));
                foreach (byte b in buffer.AsSpan(0, count))
                    model.Enqueue(b);
            }
            else if (random.Chance(0.02))
            {
                queue.Clear();
                model.Clear();
            }
            else if (random.Chance(0.02))
            {
                pool.Reclaim();
            }
            else
            {
                int read = queue.Read(buffer.AsSpan(0, count));
                Assert.Equal(Math.Min(count, model.Count), read);
                foreach (byte b in buffer.AsSpan(0, read))
                    Assert.Equal(model.Dequeue(), b);
            }

            Assert.Equal(model.Count, queue.Length);
        }

        queue.Clear();
        pool.Trim();
        pool.Trim();
        Assert.Equal(0, pool.MemoryUse);
    });
}
