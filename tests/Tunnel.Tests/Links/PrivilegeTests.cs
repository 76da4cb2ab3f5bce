using Tunnel.Links.Host;

namespace Tunnel.Tests.Links;

public sealed class PrivilegeTests
{
    [Theory]
    [InlineData("Name:\tx\nCapEff:\t0000000000002000\nCapBnd:\tffff", true, false)]
    [InlineData("CapEff:\t0000000000001000\n", false, true)]
    [InlineData("CapEff:\t000001ffffffffff\n", true, true)]
    [InlineData("CapEff:\t0000000000000000\n", false, false)]
    [InlineData("nothing of the kind", false, false)]
    public void Capabilities(string status, bool raw, bool admin) => Assert.Equal(new Privilege(raw, admin), Privilege.Parse(status));

    [Fact]
    public void File_limit_never_falls()
    {
        (ulong before, ulong after) = Privilege.RaiseOpenFileLimit();
        Assert.True(after >= before && before > 0);
        Assert.Equal((after, after), Privilege.RaiseOpenFileLimit());
    }
}
