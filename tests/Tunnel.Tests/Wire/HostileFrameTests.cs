using FsCheck;
using FsCheck.Fluent;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Wire;

/// <summary>Whatever arrives, reading it ends in a segment inside of the frame or in a reason, and never in an exception.</summary>
public class HostileFrameTests
{
    [Fact]
    public void EveryTruncationOfAValidFrameIsRead()
    {
        foreach (byte[] frame in Samples.Valid())
        {
            for (int length = 0; length <= frame.Length; length++)
                ReadAll(frame.AsSpan(0, length));
        }
    }

    [Fact]
    public void MutatedFramesAreRead()
    {
        List<byte[]> valid = Samples.Valid();
        Seeded.Repeat(30_000, (ref Prng prng) =>
        {
            byte[] frame = [.. valid[prng.Next(valid.Count)]];

            // Structure lies in the first hundred bytes; most mutations belong there.
            for (int mutations = 1 + prng.Next(6); mutations > 0; mutations--)
                frame[prng.Next(prng.Chance(0.9) ? Math.Min(frame.Length, 100) : frame.Length)] = Boundary(ref prng);
            ReadAll(frame.AsSpan(0, prng.Chance(0.7) ? frame.Length : prng.Next(frame.Length)));
        });
    }

    [Fact]
    public void RandomBytesBehindAnyEtherTypeAreRead() => Seeded.Repeat(20_000, static (ref Prng prng) =>
    {
        byte[] frame = prng.NextBytes(prng.Next(200));
        if (frame.Length > 14)
        {
            (frame[12], frame[13], frame[14]) = prng.Next(4) switch
            {
                0 => ((byte)0x08, (byte)0x00, (byte)(0x40 | prng.Next(16))),
                1 => ((byte)0x86, (byte)0xDD, (byte)0x60),
                2 => ((byte)0x81, (byte)0x00, frame[14]),
                _ => (frame[12], frame[13], frame[14]),
            };
        }

        ReadAll(frame);
    });

    [Fact]
    public void ArbitraryBytesAreRead() => Prop.ForAll<byte[]>(static bytes => ReadAll(bytes)).QuickCheckThrowOnFailure();

    private static byte Boundary(ref Prng prng) => prng.Next(8) switch
    {
        0 => 0,
        1 => 0xFF,
        2 => 0x80,
        3 => IPProtocols.Fragment,
        4 => (byte)prng.Next(64),
        _ => (byte)prng.NextUInt32(),
    };

    private static void ReadAll(ReadOnlySpan<byte> frame)
    {
        WireDrop drop = TcpSegment.TryParse(frame, out TcpSegment segment);
        Assert.True(Enum.IsDefined(drop));
        if (drop == WireDrop.None)
            Assert.True(segment.Payload.IsEmpty || frame.Overlaps(segment.Payload));
        else
            Assert.True(segment.Payload.IsEmpty);

        Assert.NotEmpty(FramePrinter.Print(frame));
        IPv4View.TryParse(frame, out _);
        IPv6View.TryParse(frame, out _);
        if (TcpView.TryParse(frame, out TcpView tcp) == WireDrop.None)
            tcp.Options.TryGetTimestamps(out _, out _);
    }
}
