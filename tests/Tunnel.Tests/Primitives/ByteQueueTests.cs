using System.Runtime.CompilerServices;
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

    /// <summary>Ten thousand streams that once held a block each and say nothing now hold none, when the pool has let go of them.</summary>
    [Fact]
    public void AnEmptyOneHoldsNoBlock()
    {
        var pool = new BlockPool();
        var queue = new ByteQueue(pool);
        WeakReference block = FillAndEmpty(pool, queue);
        pool.Reclaim();
        GC.Collect();
        Assert.False(block.IsAlive);
        GC.KeepAlive(queue);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference FillAndEmpty(BlockPool pool, ByteQueue queue)
    {
        queue.Write([1, 2, 3]);
        Assert.Equal(3, queue.Read(new byte[10]));
        byte[] block = pool.Rent();
        Assert.Equal(1, block[0]);
        pool.Return(block);
        return new WeakReference(block);
    }
}
