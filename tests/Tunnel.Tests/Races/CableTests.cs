using Tunnel.Bench.Cables;
using Tunnel.Ctl.Bench;

namespace Tunnel.Tests.Races;

public class CableTests
{
    [Fact]
    public void FaultsAreTheEmulatorsOptions()
    {
        var cable = Cable.Parse("delay 25ms/30ms, burst 0.5%,25%, rate 200mbit");
        Assert.Equal(["--delay", "25ms/30ms", "--burst", "0.5%,25%", "--rate", "200mbit"], cable.Faults);
        Assert.True(cable.IsEmulated);
    }

    [Fact]
    public void NamesOfPlainCablesAreKnown()
    {
        Assert.Equal(Cable.Veth, Cable.Parse("veth"));
        Assert.False(Cable.Parse("veth, offloads off").Offloads);
    }

    [Theory]
    [InlineData("")]
    [InlineData("slow")]
    [InlineData("delay")]
    [InlineData("latency 25ms")]
    [InlineData("delay 25ms, veth")]
    public void AnythingElseIsRefused(string text) => Assert.Throws<BenchException>(() => Cable.Parse(text));
}
