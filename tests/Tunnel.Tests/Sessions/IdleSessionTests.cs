using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Crypto;

namespace Tunnel.Tests.Sessions;

/// <summary>What sessions with nothing to do still do, in virtual time: each line is a millisecond's way long.</summary>
public class IdleSessionTests
{
    private const int KeepAlive = 10_000;
    private const int Minutes = 10;
    private const int Slots = 16;

    /// <summary>One end asks, the other answers: more is not needed for both to know.</summary>
    [Fact]
    public void TwoOfOursNeedTwoDatagramsAnInterval() => Assert.InRange(CountDatagrams(ours: true), 2 * 60 * Minutes / 10 - 4, 2 * 60 * Minutes / 10 + 4);

    /// <summary>A stock peer wants to see a frame, whatever it was sent as an acknowledgement.</summary>
    [Fact]
    public void AStockPeerIsSpokenToInEveryInterval() => Assert.InRange(CountDatagrams(ours: false), 4 * 60 * Minutes / 10 - 8, 4 * 60 * Minutes / 10 + 8);

    /// <summary>Sessions that began at any time, one after the other, wake at few instants, and at each of these not too many.</summary>
    [Fact]
    public void ManyWakeTogetherAndNotAllAtOnce()
    {
        var random = new Prng(5);
        var wakes = new Dictionary<long, int>();
        for (int i = 0; i < 1000; i++)
        {
            long began = random.Next(1000);
            using Session session = Make((uint)random.Next(int.MaxValue), isClient: false, began);
            long first = session.Deadline.Milliseconds;
            Assert.InRange(first, began + 1, began + KeepAlive);
            session.Advance(session.Deadline);
            Assert.InRange(session.Deadline.Milliseconds, first + KeepAlive - KeepAlive / Slots, first + KeepAlive);
            wakes[first] = wakes.GetValueOrDefault(first) + 1;
        }

        Assert.InRange(wakes.Count, Slots / 2, Slots);
        Assert.InRange(wakes.Values.Max(), 1, 200);
    }

    /// <summary>Whichever end dies, and whenever: the other one knows when its timeout is over, as if there were nothing shared.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ADeadPeerIsFoundWithinTheTimeout(bool clientDies)
    {
        for (long death = 60_000; death < 75_000; death += 1_111)
        {
            using Session client = Make(7, isClient: true), server = Make(7, isClient: false);
            (client.Mux.OneSignOfLifeIsEnough, server.Mux.OneSignOfLifeIsEnough) = (true, true);
            Run(client, server, death);
            Session left = clientDies ? server : client;
            long now = death;
            while (!left.IsClosed)
            {
                now = Math.Max(now, left.Deadline.Milliseconds);
                left.Advance(Instant.FromMilliseconds(now));
                Drain(left, now);
            }

            Assert.Equal(CloseReason.KeepAliveTimeout, left.Mux.CloseReason);
            Assert.InRange(now, death + new MuxOptions().KeepAliveTimeout - 12_000, death + new MuxOptions().KeepAliveTimeout);
        }
    }

    /// <summary>
    /// A stock server that was started anew takes what comes for the middle of a conversation whose beginning it waits for, and acknowledges
    /// it one by one. That is no sign of life of the session's, which must end.
    /// </summary>
    [Fact]
    public void AnAcknowledgementOfNothingInOrderIsNoSignOfLife()
    {
        using Session client = Make(7, isClient: true), server = Make(7, isClient: false);
        Run(client, server, 60_000);
        byte[] answer = new byte[KcpSegment.HeaderLength];
        long now = 60_000;
        for (; !client.IsClosed && now < 120_000; now = client.Deadline.Milliseconds)
        {
            client.Advance(Instant.FromMilliseconds(now));
            foreach (byte[] datagram in Drain(client, now))
            {
                Assert.True(KcpSegment.TryRead(datagram, out KcpSegment push));
                new KcpSegment(7, KcpCommand.Ack, 0, 1024, push.Timestamp, push.Number, 0, 0).Write(answer);
                client.Receive(answer, Instant.FromMilliseconds(now));
            }
        }

        Assert.Equal(CloseReason.KeepAliveTimeout, client.Mux.CloseReason);
    }

    /// <summary>While bytes go either way, nobody says anything besides.</summary>
    [Fact]
    public void TrafficIsSignOfLifeEnough()
    {
        using Session client = Make(7, isClient: true), server = Make(7, isClient: false);
        (client.Mux.OneSignOfLifeIsEnough, server.Mux.OneSignOfLifeIsEnough) = (true, true);
        MuxStream stream = client.Mux.Open()!;
        int pushes = 0;
        for (long now = 0; now < 120_000; now += 1_000)
        {
            Assert.True(client.Mux.TryWrite(stream, new byte[1]));
            pushes += Run(client, server, now + 1_000, now).Pushes;
        }

        Assert.InRange(pushes, 120, 122);
    }

    private static int CountDatagrams(bool ours)
    {
        using Session client = Make(7, isClient: true), server = Make(7, isClient: false);
        (client.Mux.OneSignOfLifeIsEnough, server.Mux.OneSignOfLifeIsEnough) = (ours, ours);
        int datagrams = Run(client, server, Minutes * 60_000).Datagrams;
        Assert.False(client.IsClosed || server.IsClosed);
        return datagrams;
    }

    /// <summary>Lets both do what they want until then; what they sent.</summary>
    private static (int Datagrams, int Pushes) Run(Session client, Session server, long until, long from = 0)
    {
        int datagrams = 0, pushes = 0;
        List<(long At, Session To, byte[] Datagram)> underWay = [];
        for (long now = from; now < until; now = Next(client, server, underWay, now))
        {
            foreach ((_, Session to, byte[] datagram) in underWay.Where(u => u.At <= now).ToArray())
                Assert.Equal(DropReason.None, to.Receive(datagram, Instant.FromMilliseconds(now)));
            underWay.RemoveAll(u => u.At <= now);
            foreach ((Session session, Session peer) in new[] { (client, server), (server, client) })
            {
                session.Advance(Instant.FromMilliseconds(now));
                foreach (byte[] datagram in Drain(session, now))
                {
                    underWay.Add((now + 1, peer, datagram));
                    datagrams++;
                    pushes += KcpSegment.TryRead(datagram, out KcpSegment first) && first.Command == KcpCommand.Push ? 1 : 0;
                }
            }
        }

        return (datagrams, pushes);
    }

    private static long Next(Session client, Session server, List<(long At, Session To, byte[] Datagram)> underWay, long now)
    {
        long next = Math.Min(client.Deadline.Milliseconds, server.Deadline.Milliseconds);
        return Math.Max(now + 1, underWay.Count == 0 ? next : Math.Min(next, underWay.Min(u => u.At)));
    }

    private static List<byte[]> Drain(Session session, long now)
    {
        List<byte[]> datagrams = [];
        byte[] buffer = new byte[65_536];
        while (session.Transmit(buffer, 0, Instant.FromMilliseconds(now)) is { IsEmpty: false } run)
        {
            for (int i = 0; i < run.Count; i++)
                datagrams.Add(buffer.AsSpan(run[i]).ToArray());
        }

        while (session.TryTakeEvent(out _))
        {
        }

        return datagrams;
    }

    private static Session Make(uint conv, bool isClient, long began = 0)
    {
        var kcp = new KcpOptions { NoDelay = true, Interval = 10, Resend = 2, NoCongestion = true, AckNoDelay = true };
        SessionOptions options = SessionOptions.Create(kcp, new MuxOptions { KeepAlive = KeepAlive }, 1350, cipherOverhead: 0);
        return new Session(options, WireVectors.Cipher("null"), conv, isClient, Instant.FromMilliseconds(began));
    }
}
