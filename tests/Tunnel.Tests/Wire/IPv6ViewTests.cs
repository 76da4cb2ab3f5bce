using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Wire;

public class IPv6ViewTests
{
    private static readonly byte[] Frame = Samples.Crafted(Samples.IPv6, 10);

    [Fact]
    public void ReadsTheFields()
    {
        Assert.Equal(WireDrop.None, Parse(Frame, out IPv6View view));
        Assert.Equal(46, view.Dscp);
        Assert.Equal(0u, view.FlowLabel);
        Assert.Equal(64, view.HopLimit);
        Assert.Equal(IPProtocols.Tcp, view.Protocol);
        Assert.Equal([0xFD, .. new byte[14], 1], view.Source.ToArray());
        Assert.Equal([0xFD, .. new byte[14], 2], view.Destination.ToArray());
        Assert.Equal(42, view.Payload.Length);
    }

    [Fact]
    public void PaddingIsNotPayload()
    {
        Assert.Equal(WireDrop.None, Parse([.. Frame, 1, 2, 3], out IPv6View view));
        Assert.Equal(42, view.Payload.Length);
    }

    [Fact]
    public void APayloadLengthOfZeroMeansTheFrames()
    {
        byte[] big = [.. Frame, .. new byte[100_000]];
        big[18] = big[19] = 0;

        Assert.Equal(WireDrop.None, Parse(big, out IPv6View view));
        Assert.Equal(100_042, view.Payload.Length);
    }

    [Fact]
    public void ExtensionsAreSteppedOver()
    {
        byte[] frame = Samples.WithExtensions(
            Frame,
            (IPProtocols.HopByHop, new byte[8]),
            (IPProtocols.DestinationOptions, [0, 2, .. new byte[22]]),
            (IPProtocols.Routing, [0, 1, .. new byte[14]]),
            (IPProtocols.Fragment, [0, 0xFF, 0, 0, 1, 2, 3, 4]));

        Assert.Equal(WireDrop.None, Parse(frame, out IPv6View view));
        Assert.Equal(IPProtocols.Tcp, view.Protocol);
        Assert.Equal(Frame[54..], view.Payload.ToArray());
    }

    [Theory]
    [InlineData(0, 1, WireDrop.Fragment)]
    [InlineData(0, 8, WireDrop.Fragment)]
    [InlineData(0x20, 0, WireDrop.Fragment)]
    [InlineData(0, 6, WireDrop.None)]
    public void OnlyAtomicFragmentsPass(byte offsetHigh, byte offsetLow, WireDrop expected)
    {
        byte[] frame = Samples.WithExtensions(Frame, (IPProtocols.Fragment, [0, 0, offsetHigh, offsetLow, 0, 0, 0, 0]));

        Assert.Equal(expected, Parse(frame, out _));
    }

    [Theory]
    [InlineData(IPv6View.MaxExtensions, WireDrop.None)]
    [InlineData(IPv6View.MaxExtensions + 1, WireDrop.IPv6TooManyExtensions)]
    public void TheNumberOfExtensionsIsBounded(int count, WireDrop expected)
    {
        byte[] frame = Samples.WithExtensions(Frame, [.. Enumerable.Repeat((IPProtocols.DestinationOptions, new byte[8]), count)]);

        Assert.Equal(expected, Parse(frame, out _));
    }

    [Fact]
    public void AnExtensionBeyondThePacketIsRefused()
    {
        byte[] frame = Samples.WithExtensions(Frame, (IPProtocols.Routing, [0, 200, .. new byte[6]]));

        Assert.Equal(WireDrop.IPv6Truncated, Parse(frame, out _));
    }

    [Theory]
    [InlineData(14, 0x45, WireDrop.BadIPVersion)]
    [InlineData(19, 43, WireDrop.IPv6Truncated)]
    [InlineData(20, 59, WireDrop.None)]
    public void OneByteDecides(int index, byte value, WireDrop expected)
    {
        byte[] frame = [.. Frame];
        frame[index] = value;

        Assert.Equal(expected, Parse(frame, out _));
    }

    private static WireDrop Parse(byte[] frame, out IPv6View view) => IPv6View.TryParse(frame.AsSpan(EthernetView.HeaderLength), out view);
}
