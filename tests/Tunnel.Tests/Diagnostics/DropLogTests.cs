using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Diagnostics;

/// <summary>A line for each dropped datagram, for whoever looks on, and nothing at all for everybody else.</summary>
public class DropLogTests
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
        Assert.Equal([$"dropped {datagram.Length} bytes at link memory from {Stranger}: {reason}"], bench.Lines.All);
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
        Assert.Empty(bench.Lines.All);
        peer.Send(new KcpSegment(99, KcpCommand.Push, 0, 128, 0, 5, 0, 0));
        Assert.Equal([$"dropped 24 bytes at link memory from {Stranger}: Conversation"], bench.Lines.All);
    }

    /// <summary>A reload may change the level between two batches.</summary>
    [Fact]
    public void WhileNobodyReadsThemNothingIsMade()
    {
        using var bench = new ServerBench();
        bench.Lines.Level = LogLevel.Debug;
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
        bench.Take(Stranger, datagram);
        Assert.Single(bench.Lines.All);
    }

    private static byte[] Segment(uint conv, KcpCommand command, uint number)
    {
        byte[] segment = new byte[KcpSegment.HeaderLength];
        new KcpSegment(conv, command, 0, 128, 0, number, 0, 0).Write(segment);
        return segment;
    }
}
