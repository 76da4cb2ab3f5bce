using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Diagnostics;

/// <summary>A line for each datagram, for whoever looks on, and nothing at all for everybody else.</summary>
public class DatagramLogTests
{
    private static readonly IPEndPoint Stranger = IPEndPoint.Parse("198.51.100.9:1000");

    public static TheoryData<DropReason, byte[]> Drops => new()
    {
        { DropReason.TooShort, new byte[5] },
        { DropReason.TooLong, new byte[KcpEngine.LargestDatagram + 1] },
        { DropReason.UnknownPeer, Segment(conv: 9, KcpCommand.Push, number: 3000) },
    };

    [Theory]
    [MemberData(nameof(Drops))]
    public void ALineSaysReasonPeerAndLength(DropReason reason, byte[] datagram)
    {
        using var bench = new ServerBench();
        bench.Take(Stranger, datagram);
        // Somebody who is not known is told so, which has a line of its own.
        Assert.Equal($"dropped {datagram.Length} bytes at link memory from {Stranger}: {reason}", bench.Lines.All[^1]);
        Assert.Equal(1, bench.Receiver.GetDrops(reason));
    }

    [Fact]
    public void WhatTheGuardRefusesIsSaidLikewise()
    {
        using var bench = new ServerBench(guard: new GuardSettings(Guard.DeriveKey("k"), Encoding.ASCII.GetBytes("TNL1"), 30, 1));
        bench.Take(Stranger, new byte[50]);
        Assert.Equal([$"dropped 50 bytes at link memory from {Stranger}: Guard"], bench.Lines.All);
    }

    [Fact]
    public void WhatCannotBeTakenApartIsNobodys()
    {
        using var bench = new ServerBench();
        bench.Take(Stranger, []);
        Assert.Equal(["dropped a frame of 0 bytes at link memory: Frame"], bench.Lines.All);
    }

    [Fact]
    public void AKnownPeersOtherConversationIsDroppedAndTheRestIsNot()
    {
        using var bench = new ServerBench();
        BenchPeer peer = bench.Greet(9);
        peer.Say(MuxCommand.KeepAlive, 0);
        Assert.DoesNotContain(bench.Lines.All, l => l.StartsWith("dropped", StringComparison.Ordinal));
        peer.Send(new KcpSegment(99, KcpCommand.Push, 0, 128, 0, 5, 0, 0));
        Assert.Equal($"dropped 24 bytes at link memory from {Stranger}: Conversation", Assert.Single(bench.Lines.All, l => l.StartsWith("dropped", StringComparison.Ordinal)));
    }

    /// <summary>What came and was used, and each that is sent back, also where the kernel gets several at once.</summary>
    [Fact]
    public void WhatIsUsedAndWhatIsSentHaveALineEach()
    {
        using var bench = new ServerBench();
        bench.Greet(9);
        string received = $"received {KcpSegment.HeaderLength + MuxHeaderLength} bytes at link memory from {Stranger}";
        Assert.Equal(received, bench.Lines.All[0]);
        Assert.All(bench.Lines.All[1..], l => Assert.EndsWith($" to {Stranger}", l, StringComparison.Ordinal));
        Assert.Contains(bench.Lines.All, l => l.StartsWith($"sent {KcpSegment.HeaderLength} bytes by link ", StringComparison.Ordinal));
    }

    [Fact]
    public void ARunHasALineForEachDatagramOfIt()
    {
        var lines = new LogLines();
        new DatagramLog(lines).Sent(length: 250, stride: 100, headroom: 10, "udp", Endpoint.FromIPEndPoint(Stranger));
        Assert.Equal([Line(90), Line(90), Line(40)], lines.All);

        static string Line(int bytes) => $"sent {bytes} bytes by link udp to {Stranger}";
    }

    /// <summary>A reload may change the level between two batches.</summary>
    [Fact]
    public void WhileNobodyReadsThemNothingIsMade()
    {
        using var bench = new ServerBench();
        bench.Lines.Level = LogLevel.Debug;
        bench.Log.Refresh();
        byte[] address = Stranger.Serialize().Buffer.ToArray(), datagram = new byte[5];
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                bench.Receiver.OnFrame(datagram, address, 0);
                bench.Receiver.OnBatchEnd();
            }
        }));
        Assert.Empty(bench.Lines.All);
        bench.Lines.Level = LogLevel.Trace;
        Assert.False(bench.Log.IsRead);
        bench.Log.Refresh();
        bench.Take(Stranger, datagram);
        Assert.Single(bench.Lines.All);
    }

    private const int MuxHeaderLength = 8;

    private static byte[] Segment(uint conv, KcpCommand command, uint number)
    {
        byte[] segment = new byte[KcpSegment.HeaderLength];
        new KcpSegment(conv, command, 0, 128, 0, number, 0, 0).Write(segment);
        return segment;
    }
}
