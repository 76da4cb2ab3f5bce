using System.Buffers.Binary;
using Tunnel.Links.AfPacket;

namespace Tunnel.Tests.Links;

public sealed class PacketFilterTests
{
    [Theory]
    [InlineData(29870, false)]
    [InlineData(29871, true)]
    [InlineData(29872, true)]
    [InlineData(29873, true)]
    [InlineData(29874, false)]
    [InlineData(0, false)]
    [InlineData(65535, false)]
    public void Destination_port_decides(int port, bool passes)
    {
        Assert.Equal(passes, Passes(TestFrames.Tcp(29871, port, 100)));
        Assert.Equal(passes, Passes(MergedFrames.Create(v6: false, 29871, port, 100, 0)));
        Assert.Equal(passes, Passes(MergedFrames.Create(v6: true, 29871, port, 100, 0)));
    }

    [Fact]
    public void Options_of_the_ip_header_are_stepped_over()
    {
        byte[] frame = TestFrames.Tcp(1, 29871, 100);
        byte[] withOptions = [.. frame.AsSpan(0, 34), .. new byte[40], .. frame.AsSpan(34)];
        withOptions[14] = 0x4F;
        Assert.True(Passes(withOptions));
        withOptions[14] = 0x4E;
        Assert.False(Passes(withOptions));
    }

    [Theory]
    [InlineData(0x0000, true)]
    [InlineData(0x4000, true)]
    [InlineData(0x2000, false)]
    [InlineData(0x0001, false)]
    [InlineData(0x1000, false)]
    public void Fragments_are_refused(int fragment, bool passes)
    {
        byte[] frame = TestFrames.Tcp(1, 29871, 100);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(20), (ushort)fragment);
        Assert.Equal(passes, Passes(frame));
    }

    [Theory]
    [InlineData(false, 12, 0x86)]
    [InlineData(false, 13, 0x06)]
    [InlineData(false, 23, 17)]
    [InlineData(true, 12, 0x08)]
    [InlineData(true, 13, 0x00)]
    [InlineData(true, 20, 0)]
    [InlineData(true, 20, 44)]
    public void Other_protocols_are_refused(bool v6, int at, byte value)
    {
        byte[] frame = MergedFrames.Create(v6, 1, 29871, 100, 0);
        frame[at] = value;
        Assert.False(Passes(frame));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Short_frames_are_refused(bool v6)
    {
        byte[] frame = MergedFrames.Create(v6, 1, 29871, 100, 0);
        int port = v6 ? 56 : 36;
        for (int length = 0; length < port + 2; length++)
            Assert.False(Passes(frame.AsSpan(0, length)));
        Assert.True(Passes(frame.AsSpan(0, port + 2)));
    }

    [Theory]
    [InlineData(29871, 1, true)]
    [InlineData(1, 29873, true)]
    [InlineData(29870, 29874, false)]
    [InlineData(29874, 29870, false)]
    [InlineData(40000, 29872, true)]
    [InlineData(29872, 40000, true)]
    public void A_tap_takes_either_port(int source, int destination, bool passes)
    {
        FilterInstruction[] tap = PacketFilter.BuildTap(29871, 29873);
        foreach (bool v6 in (bool[])[false, true])
        {
            byte[] frame = MergedFrames.Create(v6, source, destination, 100, 0);
            Assert.Equal(passes, Run(tap, frame) != 0);
            frame[v6 ? 20 : 23] = 17;
            Assert.Equal(passes, Run(tap, frame) != 0);
            frame[v6 ? 20 : 23] = 1;
            Assert.False(Run(tap, frame) != 0);
        }
    }

    private static bool Passes(ReadOnlySpan<byte> frame) => Run(PacketFilter.Build(29871, 29873), frame) != 0;

    /// <summary>As much of classic BPF's machine as the filter uses. As in the kernel a load beyond the frame refuses it.</summary>
    private static uint Run(FilterInstruction[] program, ReadOnlySpan<byte> frame)
    {
        uint a = 0;
        uint x = 0;
        for (int at = 0; ; at++)
        {
            FilterInstruction i = program[at];
            int offset = (int)i.Value + (i.Code == PacketFilter.LoadHalfIndexed ? (int)x : 0);
            int size = i.Code switch
            {
                PacketFilter.LoadHalf or PacketFilter.LoadHalfIndexed => 2,
                PacketFilter.LoadByte or PacketFilter.LoadIPv4HeaderLength => 1,
                _ => 0,
            };
            if (size > 0 && offset + size > frame.Length)
                return 0;
            if (i.Code == PacketFilter.Return)
                return i.Value;

            if (i.Code == PacketFilter.LoadIPv4HeaderLength)
                x = (frame[offset] & 0xFu) * 4;
            else if (size > 0)
                a = size == 2 ? BinaryPrimitives.ReadUInt16BigEndian(frame[offset..]) : frame[offset];
            else
                at += i.Code == PacketFilter.Jump ? (int)i.Value : Holds(i, a) ? i.JumpTrue : i.JumpFalse;
        }
    }

    private static bool Holds(FilterInstruction i, uint a) => i.Code switch
    {
        PacketFilter.JumpEqual => a == i.Value,
        PacketFilter.JumpGreater => a > i.Value,
        PacketFilter.JumpGreaterOrEqual => a >= i.Value,
        PacketFilter.JumpAnyBit => (a & i.Value) != 0,
        _ => throw new InvalidOperationException($"no such instruction: {i.Code}"),
    };
}
