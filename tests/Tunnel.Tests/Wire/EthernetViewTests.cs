using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Wire;

public class EthernetViewTests
{
    private static readonly byte[] Plain = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00, 0xAA, 0xBB];

    [Fact]
    public void ReadsAPlainFrame()
    {
        Assert.Equal(WireDrop.None, EthernetView.TryParse(Plain, out EthernetView view));
        Assert.Equal("02:00:00:00:00:02", view.Destination.ToString());
        Assert.Equal("02:00:00:00:00:01", view.Source.ToString());
        Assert.Equal(0, view.TagCount);
        Assert.Equal(EtherTypes.IPv4, view.EtherType);
        Assert.Equal([0xAA, 0xBB], view.Payload.ToArray());
    }

    [Fact]
    public void StepsOverTwoTags()
    {
        byte[] frame = Samples.WithTags(Plain, (EtherTypes.ServiceTag, 0xE005), (EtherTypes.CustomerTag, 0x2FFF));

        Assert.Equal(WireDrop.None, EthernetView.TryParse(frame, out EthernetView view));
        Assert.Equal(2, view.TagCount);
        Assert.Equal((5, 7), (view.VlanId(0), view.VlanPriority(0)));
        Assert.Equal((4095, 1), (view.VlanId(1), view.VlanPriority(1)));
        Assert.Equal(EtherTypes.IPv4, view.EtherType);
        Assert.Equal([0xAA, 0xBB], view.Payload.ToArray());
    }

    [Fact]
    public void RefusesAThirdTag()
    {
        byte[] frame = Samples.WithTags(Plain, (EtherTypes.ServiceTag, 1), (EtherTypes.ServiceTag, 2), (EtherTypes.CustomerTag, 3));

        Assert.Equal(WireDrop.TooManyTags, EthernetView.TryParse(frame, out _));
    }

    [Fact]
    public void RefusesWhatEndsBeforeItsType()
    {
        byte[] frame = Samples.WithTags(Plain, (EtherTypes.ServiceTag, 1), (EtherTypes.CustomerTag, 2));
        for (int length = 0; length < 22; length++)
            Assert.Equal(WireDrop.EthernetTruncated, EthernetView.TryParse(frame.AsSpan(0, length), out _));
        Assert.Equal(WireDrop.None, EthernetView.TryParse(frame.AsSpan(0, 22), out EthernetView view));
        Assert.True(view.Payload.IsEmpty);
    }
}
