using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Wire;

public class MacAddressTests
{
    [Theory]
    [InlineData("02:00:5e:10:ab:ff", "02:00:5e:10:ab:ff")]
    [InlineData("02-00-5E-10-AB-FF", "02:00:5e:10:ab:ff")]
    public void ReadsAndPrints(string text, string printed)
    {
        Assert.True(MacAddress.TryParse(text, out MacAddress address));
        Assert.Equal(printed, address.ToString());

        byte[] bytes = new byte[6];
        address.WriteTo(bytes);
        Assert.Equal(address, MacAddress.FromBytes(bytes));
        Assert.Equal([0x02, 0x00, 0x5E, 0x10, 0xAB, 0xFF], bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("02:00:5e:10:ab")]
    [InlineData("02:00:5e:10:ab:f")]
    [InlineData("02:00:5e:10:ab:fg")]
    [InlineData("02:00:5e:10:ab-ff")]
    [InlineData("02 00 5e 10 ab ff")]
    [InlineData("02:00:5e:10:ab:+f")]
    [InlineData("02:00:5e:10:ab:ff:")]
    public void RefusesWhatIsNotAnAddress(string text) => Assert.False(MacAddress.TryParse(text, out _));
}
