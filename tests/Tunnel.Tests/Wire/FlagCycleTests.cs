using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Wire;

public class FlagCycleTests
{
    [Fact]
    public void GoesRoundFromTheFirst()
    {
        FlagCycle cycle = new([TcpFlags.Syn, TcpFlags.Default, TcpFlags.Ack]);

        Assert.Equal([0x02, 0x18, 0x10, 0x02, 0x18], Enumerable.Range(0, 5).Select(_ => (int)cycle.Next()));
    }

    [Fact]
    public void AnEmptyListMeansTheDefault()
    {
        FlagCycle cycle = new([]);

        Assert.Equal([TcpFlags.Default, TcpFlags.Default], [cycle.Next(), cycle.Next()]);
    }

    [Fact]
    public void RefusesTooManyAndUnknownBits()
    {
        Assert.Throws<ArgumentException>(() => new FlagCycle(new ushort[FlagCycle.MaxLength + 1]));
        Assert.Throws<ArgumentException>(() => new FlagCycle([0x200]));
    }
}
