using Tunnel.Ctl.Dump;
using Tunnel.Ctl.Dump.Decoding;
using Tunnel.Ctl.Dump.Files;
using Tunnel.Tests.Shared;
using Tunnel.Tests.Support;
using Tunnel.Tests.Vectors;

namespace Tunnel.Tests.Dump;

/// <summary>The recordings of real peers, printed. What is expected lies beside them; UPDATE_DUMPS=1 writes it anew, to be read by a person.</summary>
public class RecordedDumpTests
{
    public static TheoryData<string> Names => [.. Recordings.All];

    [Theory]
    [MemberData(nameof(Names))]
    public void PrintsAsApproved(string name)
    {
        string text = string.Concat(Packets(name).Select(p => DumpText.Render(p, colour: false) + "\n"));
        string file = Repository.PathOf($"tests/Tunnel.Tests/Vectors/dumps/{name}.txt");
        if (Environment.GetEnvironmentVariable("UPDATE_DUMPS") == "1")
            File.WriteAllText(file, text);
        Assert.Equal(File.ReadAllText(file), text);
    }

    /// <summary>Both connections of each recording are found with their target, and nothing is left closed or out of order.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void EverythingOpens(string name)
    {
        List<DumpedPacket> packets = Packets(name);
        DumpedDatagram[] datagrams = [.. packets.SelectMany(p => p.Datagrams)];
        Assert.All(datagrams, d => Assert.Equal(DatagramState.Open, d.State));
        DumpedMuxFrame[] frames = [.. datagrams.SelectMany(d => d.Segments).SelectMany(s => s.Frames)];
        Assert.All(frames, f => Assert.Empty(f.Gap));
        IEnumerable<DumpedMuxFrame> data = frames.Where(f => IsKcptun(name) || f.Note.StartsWith("tcp ", StringComparison.Ordinal));
        Assert.Equal(2, data.Where(f => f.Frame.Command == Tunnel.Protocol.Mux.MuxCommand.Data).Select(f => f.Frame.StreamId).Distinct().Count());
        Assert.All(packets, p => Assert.Equal(System.Text.Json.JsonValueKind.Object, System.Text.Json.JsonDocument.Parse(DumpJson.Render(p)).RootElement.ValueKind));
    }

    [Fact]
    public void WithoutAKeyOnlyTheOutsideIsSeen()
    {
        DumpedDatagram[] datagrams = [.. Packets("paqet-aes", TunnelKey.Keyless()).SelectMany(p => p.Datagrams)];
        Assert.All(datagrams, d => Assert.Equal(DatagramState.Sealed, d.State));
    }

    [Fact]
    public void WithAnotherGuardEachIsRefused()
    {
        TunnelKey key = TunnelKey.FromSecret(Recordings.Key, new GuardParameters("PQT1", 3600, 1));
        Assert.All(Packets(Recordings.Guarded, key).SelectMany(p => p.Datagrams), d => Assert.Equal(DatagramState.Guard, d.State));
    }

    [Fact]
    public void APcapngFileGivesTheSameLines()
    {
        foreach (string name in Recordings.All)
        {
            var file = new MemoryStream();
            using (var writer = new PcapngWriter(file, "eth0"))
            {
                foreach (CapturedFrame frame in Frames(name))
                    writer.Write(frame with { Course = FrameCourse.In, SegmentLength = 7 });
                writer.WriteCounts(5, 6, 7);
                Assert.Equal(
                    Frames(name).Select(f => (f.Time, f.OriginalLength, Convert.ToHexString(f.Bytes.Span), FrameCourse.In, 7)),
                    CaptureReader.Read(new MemoryStream(file.ToArray()))
                        .Select(f => (f.Time, f.OriginalLength, Convert.ToHexString(f.Bytes.Span), f.Course, f.SegmentLength)));
            }
        }
    }

    /// <summary>Whatever is on the wire has a text. Without encryption damage goes all the way down.</summary>
    [Theory]
    [InlineData("paqet-null")]
    [InlineData("paqet-none")]
    [InlineData(Recordings.Guarded)]
    public void DamagedAndShuffledPacketsArePrintedToo(string name)
    {
        CapturedFrame[] frames = [.. Frames(name)];
        TestSeed.Run(200, seed =>
        {
            var random = new Random((int)seed);
            var decoder = new PacketDecoder([TunnelKey.Keyless()]);
            for (int i = 0; i < frames.Length; i++)
            {
                CapturedFrame frame = frames[random.Next(frames.Length)];
                byte[] bytes = frame.Bytes.ToArray();
                for (int hits = random.Next(4); hits > 0; hits--)
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                int cut = random.Next(20) == 0 ? random.Next(bytes.Length) : 0;
                DumpedPacket packet = decoder.Decode(frame with { Bytes = bytes.AsMemory(0, bytes.Length - cut), SegmentLength = random.Next(3) * 700 });
                Assert.NotEmpty(DumpText.Render(packet, colour: true));
                Assert.NotEmpty(DumpJson.Render(packet));
                Assert.True(new DumpFilter().Passes(packet));
            }
        });
    }

    internal static IEnumerable<CapturedFrame> Frames(string name) =>
        CaptureReader.Read(File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Vectors", "captures", name + ".pcap")));

    private static bool IsKcptun(string name) => name.StartsWith("kcptun", StringComparison.Ordinal);

    private static List<DumpedPacket> Packets(string name, TunnelKey? key = null)
    {
        string secret = IsKcptun(name) ? "correcthorse" : Recordings.Key;
        var decoder = new PacketDecoder([key ?? TunnelKey.FromSecret(secret, new GuardParameters("PQT1", 30, 2))]);
        return [.. Frames(name).Select(decoder.Decode)];
    }
}
