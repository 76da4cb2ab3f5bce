using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Wire;

public class TcpFlagNamesTests
{
    [Theory]
    [InlineData("PA", 0x018, "PA")]
    [InlineData("ap", 0x018, "PA")]
    [InlineData("S", 0x002, "S")]
    [InlineData("AS", 0x012, "SA")]
    [InlineData("FSRPAUECN", 0x1FF, "FSRPAUECN")]
    [InlineData("N", 0x100, "N")]
    public void ReadsAndPrints(string text, int flags, string printed)
    {
        Assert.True(TcpFlagNames.TryParse(text, out ushort read));
        Assert.Equal(flags, read);
        Assert.Equal(printed, TcpFlagNames.Format(read));
    }

    [Theory]
    [InlineData("")]
    [InlineData("X")]
    [InlineData("P A")]
    [InlineData("PP")]
    [InlineData("Pp")]
    public void RefusesWhatIsNotFlags(string text) => Assert.False(TcpFlagNames.TryParse(text, out _));

    [Fact]
    public void EverySetOfFlagsComesBack()
    {
        for (ushort flags = 1; flags <= TcpFlags.All; flags++)
        {
            Assert.True(TcpFlagNames.TryParse(TcpFlagNames.Format(flags), out ushort read));
            Assert.Equal(flags, read);
        }

        Assert.Equal("", TcpFlagNames.Format(0));
    }
}
