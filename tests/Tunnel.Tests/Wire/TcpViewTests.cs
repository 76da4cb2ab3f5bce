using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Wire;

public class TcpViewTests
{
    private const int TcpOffset = EthernetView.HeaderLength + IPv4View.MinHeaderLength;

    [Fact]
    public void ReadsTheFields()
    {
        byte[] segment = Samples.Crafted(Samples.IPv4, 5, TcpFlags.All & ~TcpFlags.Syn)[TcpOffset..];

        Assert.Equal(WireDrop.None, TcpView.TryParse(segment, out TcpView view));
        Assert.Equal((40001, 9999), (view.SourcePort, view.DestinationPort));
        Assert.Equal(1128u, view.Sequence);
        Assert.Equal(1128u - 1 + 1400, view.Acknowledgment);
        Assert.Equal(32, view.HeaderLength);
        Assert.Equal(TcpFlags.All & ~TcpFlags.Syn, view.Flags);
        Assert.Equal(65535, view.Window);
        Assert.Equal(Samples.Payload(5), view.Payload.ToArray());
        Assert.True(view.HasValidChecksum([10, 79, 0, 1], [10, 79, 0, 2]));
        Assert.False(view.HasValidChecksum([10, 79, 0, 1], [10, 79, 0, 3]));
    }

    [Fact]
    public void EveryOptionOfASynIsRead()
    {
        byte[] segment = Samples.Crafted(Samples.IPv4, 5, TcpFlags.Syn)[TcpOffset..];
        Assert.Equal(WireDrop.None, TcpView.TryParse(segment, out TcpView view));

        List<string> read = [];
        foreach (TcpOption option in view.Options)
        {
            if (option.TryGetMaximumSegmentSize(out ushort size))
                read.Add($"mss {size}");
            if (option.IsSackPermitted)
                read.Add("sack");
            if (option.TryGetTimestamps(out uint value, out uint echo))
                read.Add($"ts {value} {echo}");
            if (option.TryGetWindowScale(out byte shift))
                read.Add($"scale {shift}");
            if (option.Kind == TcpOption.NoOperation)
                read.Add("nop");
        }

        Assert.Equal(["mss 1460", "sack", "ts 1000 0", "nop", "scale 8"], read);
    }

    [Theory]
    [InlineData("0101080a0000000100000002", true, false)]
    [InlineData("080a00000001000000020101", true, false)]
    [InlineData("0402 0101 080a 00000001 00000002 0101", true, false)]
    [InlineData("080c00000001000000020000", false, false)]
    [InlineData("00000000 080a 00000001 00000002 0101", false, false)]
    [InlineData("08000000", false, true)]
    [InlineData("08010000", false, true)]
    [InlineData("02ff0000", false, true)]
    [InlineData("01010108", false, true)]
    [InlineData("02030504", false, true)]
    [InlineData("", false, false)]
    public void OptionsEndWithoutHarm(string hex, bool hasTimestamps, bool malformed)
    {
        byte[] options = Convert.FromHexString(hex.Replace(" ", ""));
        byte[] segment = [.. new byte[20], .. options];
        segment[12] = (byte)(segment.Length / 4 << 4);
        Assert.Equal(WireDrop.None, TcpView.TryParse(segment, out TcpView view));

        TcpOptions.Enumerator each = view.Options.GetEnumerator();
        while (each.MoveNext())
            Assert.True(each.Current.Data.Length <= options.Length);

        Assert.Equal(malformed, each.Malformed);
        Assert.False(each.MoveNext());
        Assert.Equal(hasTimestamps, view.Options.TryGetTimestamps(out uint value, out uint echo));
        Assert.Equal(hasTimestamps ? (1u, 2u) : (0, 0), (value, echo));
    }

    [Theory]
    [InlineData(19, 0x50, WireDrop.TcpTruncated)]
    [InlineData(20, 0x40, WireDrop.TcpBadOffset)]
    [InlineData(20, 0x00, WireDrop.TcpBadOffset)]
    [InlineData(20, 0x60, WireDrop.TcpTruncated)]
    [InlineData(59, 0xF0, WireDrop.TcpTruncated)]
    [InlineData(60, 0xF0, WireDrop.None)]
    [InlineData(20, 0x50, WireDrop.None)]
    public void TheHeaderMustBeThere(int length, byte offset, WireDrop expected)
    {
        byte[] segment = new byte[length];
        segment[12] = offset;

        Assert.Equal(expected, TcpView.TryParse(segment, out _));
    }
}
