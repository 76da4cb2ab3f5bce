using Tunnel.Protocol.Wire;
using Tunnel.Tests.Vectors;

namespace Tunnel.Tests.Wire;

public class FramePrinterTests
{
    [Theory]
    [InlineData(
        "paqet-aes", 0,
        "10.79.0.1.51149 > 10.79.0.2.9999: Flags [P.], seq 4174786979, ack 4174788378, win 65535, "
        + "options [nop,nop,TS val 4174786851 ecr 4174786800], length 76")]
    [InlineData(
        "kcptun-tcp-aes-128-nocomp-nofec", 1,
        "10.79.0.2.10000 > 10.79.0.1.43812: Flags [S.], seq 3391058595, ack 2038186532, win 65160, "
        + "options [mss 1460,sackOK,TS val 2173625200 ecr 1600958187,nop,wscale 10], length 0")]
    [InlineData("kcptun-aes-128-nocomp-nofec", 0, "10.79.0.1.45002 > 10.79.0.2.10000: UDP, length 52")]
    public void PrintsAsTcpdumpDoes(string recording, int index, string line) =>
        Assert.Equal(line, FramePrinter.Print(PcapFile.Read(recording)[index].Frame));

    [Fact]
    public void PrintsTagsAndIPv6()
    {
        byte[] plain = Samples.Crafted(Samples.IPv6, 3, TcpFlags.Rst);
        byte[] frame = Samples.WithTags(plain, (EtherTypes.ServiceTag, 5), (EtherTypes.CustomerTag, 0x6064));

        Assert.Equal(
            "vlan 5, p 0, vlan 100, p 3, fd00::1.40001 > fd00::2.9999: Flags [R], seq 1128, win 65535, "
            + "options [nop,nop,TS val 1000 ecr 949], length 3",
            FramePrinter.Print(frame));
    }

    [Theory]
    [InlineData(TcpFlags.All, "FSRP.UEWe")]
    [InlineData(0, "none")]
    public void PrintsFlagsAsSigns(ushort flags, string signs) =>
        Assert.Contains($"Flags [{signs}]", FramePrinter.Print(Samples.Crafted(Samples.IPv4, 0, flags)));

    [Theory]
    [InlineData(10, "malformed (EthernetTruncated), length 10")]
    [InlineData(30, "malformed (IPv4Truncated), length 16")]
    public void PrintsWhatIsTooShort(int length, string line) =>
        Assert.Equal(line, FramePrinter.Print(Samples.Crafted(Samples.IPv4, 10).AsSpan(0, length)));

    [Theory]
    [InlineData(13, 0x06, "ethertype 0x0806, length 62")]
    [InlineData(23, 1, "10.79.0.1 > 10.79.0.2: protocol 1, length 42")]
    [InlineData(46, 0x40, "10.79.0.1 > 10.79.0.2: malformed (TcpBadOffset), length 42")]
    public void PrintsWhatIsNotASegment(int index, byte value, string line)
    {
        byte[] frame = Samples.Crafted(Samples.IPv4, 10);
        frame[index] = value;

        Assert.Equal(line, FramePrinter.Print(frame));
    }

    [Theory]
    [InlineData(56, 0xFD, "[nop,nop,unknown-253 0x000003e8000003b5]")]
    [InlineData(57, 60, "[nop,nop,malformed]")]
    [InlineData(55, 0, "[nop,eol]")]
    public void PrintsOddOptions(int index, byte value, string options)
    {
        byte[] frame = Samples.Crafted(Samples.IPv4, 10);
        frame[index] = value;

        Assert.Contains($"options {options}, length 10", FramePrinter.Print(frame));
    }
}
