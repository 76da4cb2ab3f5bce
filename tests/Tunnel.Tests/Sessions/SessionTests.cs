using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Crypto;

namespace Tunnel.Tests.Sessions;

public class SessionTests
{
    private const int Mtu = 1350;

    [Theory]
    [InlineData("aes", 1330)]
    [InlineData("aes-128-gcm", 1322)]
    [InlineData("null", 1350)]
    public void TheCipherTakesItsShareOfTheMtu(string name, int kcpMtu)
    {
        using DatagramCipher cipher = WireVectors.Cipher(name);
        Assert.Equal(kcpMtu, SessionOptions.Create(new KcpOptions(), new MuxOptions(), Mtu, cipher.Overhead).Kcp.Mtu);
        Assert.Equal(1500, SessionOptions.Create(new KcpOptions(), new MuxOptions(), 9000, cipher.Overhead).Mtu);
    }

    [Fact]
    public void DropsByReason()
    {
        using Session session = Make("aes", 7), other = Make("aes", 8);
        Assert.Equal(DropReason.TooLong, session.Receive(new byte[KcpEngine.LargestDatagram + 1], Instant.Zero));
        Assert.Equal(DropReason.Cipher, session.Receive(new byte[100], Instant.Zero));
        Assert.Equal(DropReason.Cipher, session.Receive([], Instant.Zero));
        Assert.Equal(DropReason.TooShort, session.ReceiveOpened(new byte[3], Instant.Zero));
        other.Mux.Open();
        byte[] buffer = new byte[Mtu];
        TransmitRun run = other.Transmit(buffer, 0, Instant.Zero);
        Assert.Equal(DropReason.Conversation, session.Receive(buffer.AsSpan(run[0]), Instant.Zero));
        byte[] malformed = new byte[24];
        malformed[0] = 7;
        Assert.Equal(DropReason.Kcp, session.ReceiveOpened(malformed, Instant.Zero));
        session.Close(CloseReason.Replaced);
        Assert.Equal(DropReason.Closed, session.ReceiveOpened(malformed, Instant.Zero));
    }

    [Theory]
    [InlineData("aes")]
    [InlineData("aes-128-gcm")]
    [InlineData("null")]
    public void ARunIsOfEqualDatagramsButTheLast(string cipher)
    {
        using Session session = Make(cipher, 7);
        MuxStream stream = session.Mux.Open()!;
        session.Mux.TryWrite(stream, new byte[20_000]);
        byte[] buffer = new byte[65_536];
        TransmitRun run = session.Transmit(buffer, 54, Instant.Zero);
        Assert.InRange(run.Count, 15, 17);
        Assert.Equal(54 + Mtu, run.Stride);
        for (int i = 0; i < run.Count - 1; i++)
            Assert.Equal(54 + Mtu, buffer.AsSpan(run[i]).Length);
        Assert.InRange(buffer.AsSpan(run[run.Count - 1]).Length, 55, 54 + Mtu);
        Assert.True(session.Transmit(buffer, 54, Instant.Zero).IsEmpty);
        Assert.True(session.Transmit(buffer.AsSpan(0, 100), 54, Instant.Zero).IsEmpty);
    }

    /// <summary>A server has room for what stock peers send until the peer has said that it is one of ours.</summary>
    [Theory]
    [InlineData(KcpEngine.MaximumDatagram, false, DropReason.Cipher)]
    [InlineData(KcpEngine.MaximumDatagram + 1, false, DropReason.TooLong)]
    [InlineData(KcpEngine.LargestDatagram, true, DropReason.Cipher)]
    [InlineData(KcpEngine.LargestDatagram + 1, true, DropReason.TooLong)]
    public void LongDatagramsAreForOurs(int length, bool ours, DropReason expected)
    {
        using Session session = Make("aes", 7, isClient: false);
        if (ours)
            session.PeerIsOurs();
        Assert.Equal(expected, session.Receive(new byte[length], Instant.Zero));
    }

    /// <summary>Version 1 has no windows: what is beyond the session's buffer waits below, and comes up as soon as there is room.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatHadToWaitComesUpWhenAStreamIsReadOrClosed(bool isRead)
    {
        var mux = new MuxOptions { Version = 1, SessionBuffer = 1000 };
        using Session session = Make("null", 7, isClient: false, mux), peer = Make("null", 7, isClient: true, mux);
        MuxStream[] streams = [peer.Mux.Open()!, peer.Mux.Open()!];
        byte[] buffer = new byte[Mtu];
        foreach (MuxStream from in streams)
        {
            peer.Mux.TryWrite(from, new byte[1200]);
            TransmitRun run = peer.Transmit(buffer, 0, Instant.Zero);
            Assert.Equal(DropReason.None, session.Receive(buffer.AsSpan(run[0]), Instant.Zero));
        }

        Assert.Equal((1, 1200L), (session.Kcp.WaitingForUser, session.Mux.Buffered));
        MuxStream first = session.Mux.Streams.Single(s => s.Id == streams[0].Id);
        if (isRead)
            Assert.Equal(1200, session.Read(first, buffer));
        else
            session.Close(first);
        Assert.Equal((0, 1200L), (session.Kcp.WaitingForUser, session.Mux.Buffered));
    }

    [Fact]
    public void AnIdleSessionGivesMemoryBack()
    {
        using Session session = Make("null", 7);
        long before = session.MemoryUse;
        byte[] segment = new byte[KcpSegment.HeaderLength];
        for (uint number = 500; number <= 500; number--)
        {
            new KcpSegment(7, KcpCommand.Push, 0, 128, 0, number, 0, 0).Write(segment);
            Assert.Equal(DropReason.None, session.Receive(segment, Instant.Zero));
        }

        Assert.InRange(session.MemoryUse, before + 500_000, long.MaxValue);
        session.Transmit(new byte[65_536], 0, Instant.Zero);
        // What was needed until now is kept for once.
        session.Advance(session.Deadline);
        Assert.InRange(session.MemoryUse, before + 500_000, long.MaxValue);
        session.Advance(session.Deadline.AddMilliseconds(new MuxOptions().KeepAlive));
        Assert.InRange(session.MemoryUse, 0, before + 100_000);
    }

    /// <summary>However short it was: what timed out meanwhile is not sent again before what came meanwhile could be read.</summary>
    [Theory]
    [InlineData(10)]
    [InlineData(5_000)]
    public void AnEndThatWasHeldUpReadsFirst(long late)
    {
        using Session session = Make("null", 7);
        session.Mux.TryWrite(session.Mux.Open()!, new byte[100]);
        byte[] buffer = new byte[Mtu];
        Assert.False(session.Transmit(buffer, 0, Instant.Zero).IsEmpty);
        Instant now = Instant.FromMilliseconds(210 + late);
        session.Excuse(TimeSpan.FromMilliseconds(late), now);
        session.Advance(now);
        session.Transmit(buffer, 0, now);
        Assert.Equal(0, session.Kcp.Counters.TimeoutRetransmits);
        now = now.AddMilliseconds(60);
        session.Advance(now);
        session.Transmit(buffer, 0, now);
        Assert.Equal(1, session.Kcp.Counters.TimeoutRetransmits);
    }

    private static Session Make(string name, uint conv, bool isClient = true, MuxOptions? mux = null)
    {
        DatagramCipher cipher = WireVectors.Cipher(name);
        SessionOptions options = SessionOptions.Create(new KcpOptions(), mux ?? new MuxOptions(), Mtu, cipher.Overhead);
        return new Session(options, cipher, conv, isClient, Instant.Zero);
    }
}
