using System.Buffers.Binary;
using Tunnel.Ctl.Dump;
using Tunnel.Ctl.Dump.Files;
using Tunnel.Tests.Support;
using Tunnel.Tests.Vectors;

namespace Tunnel.Tests.Dump;

/// <summary>Files come from anywhere: whatever they hold, they are read or refused, and never take more memory than their packets do.</summary>
public class CaptureFileTests
{
    private const int Rounds = 3000;

    [Fact]
    public void BothByteOrdersAndResolutionsAreRead()
    {
        foreach (bool big in (bool[])[false, true])
        {
            CapturedFrame micro = Assert.Single(Read(Pcap(big, 0xA1B2C3D4, length: 3)));
            CapturedFrame nano = Assert.Single(Read(Pcap(big, 0xA1B23C4D, length: 3)));
            Assert.Equal(7_000_005_000, micro.Time);
            Assert.Equal(7_000_000_005, nano.Time);
            Assert.Equal([1, 2, 3], nano.Bytes.ToArray());
            Assert.Equal(9, nano.OriginalLength);
        }
    }

    [Theory]
    [InlineData(false, 9, 1_000_000_005)]
    [InlineData(true, 9, 1_000_000_005)]
    [InlineData(true, 6, 1_000_000_005_000)]
    [InlineData(false, 0x80 + 30, 931_322_579)]
    public void PcapngTimesCountAsTheInterfaceSays(bool big, byte resolution, long nanoseconds) =>
        Assert.Equal(nanoseconds, Assert.Single(Read(Pcapng(big, resolution, 1_000_000_005))).Time);

    [Theory]
    [InlineData("")]
    [InlineData("this is no capture")]
    [InlineData("\n\r\r\n")]
    public void WhatIsNoCaptureIsRefused(string text) =>
        Assert.Throws<CaptureFormatException>(() => Read(System.Text.Encoding.ASCII.GetBytes(text)));

    [Theory]
    [InlineData(0xFFFF_FFFF)]
    [InlineData(0x7FFF_FFFF)]
    [InlineData(1 << 21)]
    public void HugeLengthsAreRefusedWithoutAllocatingThem(uint length)
    {
        byte[] file = Pcap(false, 0xA1B2C3D4, length);
        byte[] ng = Pcapng(false, 9, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(ng.AsSpan(32), length & ~3u);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<CaptureFormatException>(() => Read(file));
        Assert.Throws<CaptureFormatException>(() => Read(ng));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    /// <summary>Every cut gives what came before it, and says so where it is in the middle of something.</summary>
    [Fact]
    public void ACutFileGivesWhatItHas()
    {
        byte[] file = Written(3);
        for (int length = 0; length < file.Length; length++)
            Assert.InRange(ReadAll(file.AsSpan(0, length).ToArray()).Count, 0, 3);
    }

    [Fact]
    public void DamagedFilesNeverDoMoreThanRefuse()
    {
        byte[][] files = [Written(3), Pcap(false, 0xA1B2C3D4, 3), Pcapng(true, 6, 1)];
        TestSeed.Run(Rounds, seed =>
        {
            var random = new Random((int)seed);
            byte[] damaged = (byte[])files[seed % (ulong)files.Length].Clone();
            for (int hits = random.Next(1, 8); hits > 0; hits--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            ReadAll(damaged);
        });
    }

    private static List<CapturedFrame> Read(byte[] file) => [.. CaptureReader.Read(new MemoryStream(file))];

    private static List<CapturedFrame> ReadAll(byte[] file)
    {
        List<CapturedFrame> frames = [];
        try
        {
            foreach (CapturedFrame frame in CaptureReader.Read(new MemoryStream(file)))
                frames.Add(frame);
        }
        catch (CaptureFormatException e)
        {
            Assert.NotEmpty(e.Message);
        }

        return frames;
    }

    private static byte[] Written(int packets)
    {
        var stream = new MemoryStream();
        using var writer = new PcapngWriter(stream, "eth0");
        foreach (CapturedFrame frame in RecordedDumpTests.Frames(Recordings.Guarded).Take(packets))
            writer.Write(frame with { Course = FrameCourse.Out, SegmentLength = 1000 });
        writer.WriteCounts(1, 2, 3);
        return stream.ToArray();
    }

    private static byte[] Pcap(bool big, uint magic, uint length)
    {
        uint[] words = [magic, 0, 0, 0, 65535, 1, 7, 5, length, 9];
        return [.. words.SelectMany(w => Word(big, w)), 1, 2, 3];
    }

    private static byte[] Pcapng(bool big, byte resolution, uint stamp)
    {
        uint[] section = [0x0A0D0D0A, 28, 0x1A2B3C4D, 0, uint.MaxValue, uint.MaxValue, 28];
        // Link type and option codes are halves: in the big order they are the upper half of their word.
        uint[] device = [1, 32, big ? 1u << 16 : 1, 0, big ? (9u << 16) + 1 : 9 + (1u << 16), big ? (uint)resolution << 24 : resolution, 0, 32];
        uint[] packet = [6, 36, 0, 0, stamp, 4, 4, 0x01020304, 36];
        return [.. section.Concat(device).Concat(packet).SelectMany(w => Word(big, w))];
    }

    private static byte[] Word(bool big, uint value)
    {
        byte[] bytes = BitConverter.GetBytes(value);
        return big ? [.. bytes.Reverse()] : bytes;
    }
}
