using System.Buffers.Binary;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Wire;

public class IPv4ViewTests
{
    private static byte[] Packet(int payloadLength) => Samples.Crafted(Samples.IPv4, payloadLength)[EthernetView.HeaderLength..];

    [Fact]
    public void ReadsTheFields()
    {
        Assert.Equal(WireDrop.None, IPv4View.TryParse(Packet(10), out IPv4View view));
        Assert.Equal(20, view.HeaderLength);
        Assert.Equal(46, view.Dscp);
        Assert.Equal(0, view.Identification);
        Assert.Equal(64, view.TimeToLive);
        Assert.Equal(IPProtocols.Tcp, view.Protocol);
        Assert.Equal([10, 79, 0, 1], view.Source.ToArray());
        Assert.Equal([10, 79, 0, 2], view.Destination.ToArray());
        Assert.Equal(42, view.Payload.Length);
        Assert.True(view.HasValidChecksum);
    }

    [Fact]
    public void PaddingIsNotPayload()
    {
        byte[] padded = [.. Packet(0), 1, 2, 3, 4, 5, 6];

        Assert.Equal(WireDrop.None, IPv4View.TryParse(padded, out IPv4View view));
        Assert.Equal(32, view.Payload.Length);
    }

    [Fact]
    public void OptionsAreSteppedOver()
    {
        byte[] plain = Packet(5);
        byte[] packet = [.. plain[..20], 1, 1, 1, 1, 1, 1, 1, 0, .. plain[20..]];
        packet[0] = 0x47;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);

        Assert.Equal(WireDrop.None, IPv4View.TryParse(packet, out IPv4View view));
        Assert.Equal(28, view.HeaderLength);
        Assert.Equal(plain[20..], view.Payload.ToArray());
    }

    [Fact]
    public void ATotalLengthOfZeroMeansTheFrames()
    {
        byte[] packet = Packet(100);
        packet[2] = packet[3] = 0;
        byte[] big = [.. packet, .. new byte[100_000]];

        Assert.Equal(WireDrop.None, IPv4View.TryParse(big, out IPv4View view));
        Assert.Equal(100_132, view.Payload.Length);
    }

    [Fact]
    public void ReadsAMergedPacketOfTheGreatestLength()
    {
        Assert.Equal(WireDrop.None, IPv4View.TryParse(Packet(65535 - 52), out IPv4View view));
        Assert.Equal(65515, view.Payload.Length);
    }

    [Theory]
    [InlineData(0, 0x65, WireDrop.BadIPVersion)]
    [InlineData(0, 0x44, WireDrop.IPv4BadLength)]
    [InlineData(0, 0x40, WireDrop.IPv4BadLength)]
    [InlineData(3, 19, WireDrop.IPv4BadLength)]
    [InlineData(3, 255, WireDrop.IPv4Truncated)]
    [InlineData(6, 0x20, WireDrop.Fragment)]
    [InlineData(7, 0x01, WireDrop.Fragment)]
    [InlineData(6, 0x80, WireDrop.None)]
    public void OneByteDecides(int index, byte value, WireDrop expected)
    {
        byte[] packet = Packet(10);
        packet[index] = value;

        Assert.Equal(expected, IPv4View.TryParse(packet, out _));
    }

    [Fact]
    public void AHeaderLongerThanThePacketIsRefused()
    {
        byte[] packet = Packet(0);
        packet[0] = 0x4F;

        Assert.Equal(WireDrop.IPv4BadLength, IPv4View.TryParse(packet, out _));
    }
}
