using Tunnel.Links.Memory;

namespace Tunnel.Tests.Simulation;

public class SharedLineTests
{
    /// <summary>
    /// None of them ever saw the queue of the others empty, unless all look at the same time: they would take it for the path, and what it loses
    /// for the path's loss, which each made up for by sending more.
    /// </summary>
    [Theory]
    [InlineData(200, 50, 50, 2, 0.02)]
    [InlineData(200, 50, 50, 4, 0.025)]
    [InlineData(500, 10, 20, 3, 0.01)]
    [InlineData(100, 20, 10, 4, 0.075)]
    [InlineData(50, 50, 20, 4, 0.09)]
    public void SessionsThatShareALineShareItEvenlyAndLoseLittle(int megabits, int roundTrip, int queueMilliseconds, int senders, double overflow)
    {
        var line = new SharedLine(senders, new MemoryWireOptions
        {
            DelayNanoseconds = roundTrip * 500_000L,
            BitsPerSecond = megabits * 1_000_000L,
            QueueBytes = megabits * 1000 / 8 * queueMilliseconds,
        });
        line.Run(20_000);
        double[] each = line.Run(20_000);
        Assert.InRange(each.Sum(), 0.95 * megabits, 1.02 * megabits);
        // Jain's index: 1 when all have the same, 1/n when one has all.
        Assert.InRange(each.Sum() * each.Sum() / each.Length / each.Sum(r => r * r), 0.85, 1);
        Assert.InRange(line.Overflow, 0, overflow);
    }
}
