using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Proc;
using Tunnel.Ctl.Check.Topics;

namespace Tunnel.Tests.Check;

public class ProcParsingTests
{
    [Fact]
    public void Interrupts()
    {
        IReadOnlyList<InterruptLine> lines = ProcInterrupts.Parse(FixtureFiles.Interrupts);
        Assert.Equal([1, 38, 39, 40], lines.Select(l => l.Number));
        Assert.Equal([100, 4622], lines[1].Counts);
        Assert.EndsWith("eth7-input.0", lines[1].Action);
    }

    [Fact]
    public void SoftnetColumnsAreHexadecimal()
    {
        IReadOnlyList<SoftnetStat> stats = SoftnetStat.Parse(FixtureFiles.Softnet);
        Assert.Equal([new SoftnetStat(0, 100_000, 0, 3), new SoftnetStat(1, 100_000, 0, 0)], stats);
    }

    /// <summary>Kernels before 5.10 do not say which processor a line is about.</summary>
    [Fact]
    public void SoftnetOfAnOldKernel() =>
        Assert.Equal([0, 1], SoftnetStat.Parse("0a 01 02 00\n0b 00 00 00\n").Select(s => s.Processor));

    [Fact]
    public void CountersByNames()
    {
        IReadOnlyDictionary<string, long> counters = NamedCounters.Parse(FixtureFiles.Netstat);
        Assert.Equal(12345, counters["IpExt.InOctets"]);
        Assert.Equal(0, counters["TcpExt.ListenDrops"]);
    }

    [Fact]
    public void TicksOfAllProcessors() =>
        Assert.Equal(new CpuTimes(9535, 8010, 20, 5), CpuTimes.Parse("cpu  1000 0 500 8000 10 0 20 5 0 0\ncpu0 1 2 3\n"));

    /// <summary>Nothing that a file may hold is more than nothing.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("garbage")]
    [InlineData("CPU0 CPU1\n38: x y eth7\n39:\n99999999999999999999: 1 2 a\n")]
    [InlineData("TcpExt: A B\nTcpExt: 1\nIpExt:\n")]
    [InlineData("cpu a b c d e f g h i\n")]
    [InlineData("zz 00 00\n00\n\0\0\0\n")]
    public void Garbage(string text)
    {
        Assert.Empty(ProcInterrupts.Parse(text));
        Assert.Empty(SoftnetStat.Parse(text));
        Assert.Empty(NamedCounters.Parse(text));
        Assert.Null(CpuTimes.Parse(text));
        Assert.Empty(BacklogTopic.WaitingIn(text));
    }

    [Theory]
    [InlineData("0-3,8\n", new[] { 0, 1, 2, 3, 8 })]
    [InlineData("5", new[] { 5 })]
    [InlineData("\n", new int[0])]
    [InlineData("3-1", null)]
    [InlineData("1-2-3", null)]
    [InlineData("a", null)]
    [InlineData("0-99999999", null)]
    public void Lists(string text, int[]? expected) => Assert.Equal(expected, CpuList.ParseList(text));

    [Theory]
    [InlineData("00000000,0000010f\n", new[] { 0, 1, 2, 3, 8 })]
    [InlineData("1,00000001", new[] { 0, 32 })]
    [InlineData("0", new int[0])]
    [InlineData("", null)]
    [InlineData("xyz", null)]
    public void Masks(string text, int[]? expected) => Assert.Equal(expected, CpuList.ParseMask(text));

    [Theory]
    [InlineData("0", new int[0])]
    [InlineData("10f", new[] { 0, 1, 2, 3, 8 })]
    [InlineData("1,00000001", new[] { 0, 32 })]
    public void MasksAreWrittenInGroups(string expected, int[] processors) => Assert.Equal(expected, CpuList.FormatMask(processors));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(134217728, "128 MiB")]
    [InlineData(long.MaxValue, "8 EiB")]
    public void Sizes(long bytes, string expected) => Assert.Equal(expected, ByteSize.Format(bytes));

    [Theory]
    [InlineData("4096\t131072\t6291456\n", 3, null)]
    [InlineData("4096\n", 3, "\"4096\" is not 3 whole numbers")]
    [InlineData("x", 1, "\"x\" is not a whole number")]
    [InlineData("99999999999999999999", 1, "\"99999999999999999999\" is not a whole number")]
    public void Numbers(string text, int count, string? expected) =>
        Assert.Equal((expected is null, expected ?? ""), (new Reading(text, null).TryNumbers(count, out _, out string problem), problem));

    /// <summary>The second column but one of a listening socket is what waits.</summary>
    [Fact]
    public void ListenersOfTheTable()
    {
        const string table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000011 00:00000000 00000000     0
               1: 0100007F:1F91 00000000:0000 01 00000000:00000022 00:00000000 00000000     0
            """;
        Assert.Equal([17], BacklogTopic.WaitingIn(table));
    }
}
