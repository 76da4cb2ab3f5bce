using Tunnel.Protocol.Kcp;

namespace Tunnel.Tests.Kcp;

public class WindowTests
{
    /// <summary>With little memory the peer is told of a smaller window; what it was told before is still taken.</summary>
    [Fact]
    public void AGrantedWindowIsKeptAndTheNextOneIsSmaller()
    {
        var user = new ScriptedUser(1, 2);
        var engine = new KcpEngine(new KcpOptions { ReceiveWindow = 256 }, 1, user, 0) { GrantedWindow = 32 };
        byte[] segment = new byte[KcpSegment.HeaderLength];
        new KcpSegment(1, KcpCommand.Push, 0, 128, 0, 200, 0, 0).Write(segment);
        Assert.True(engine.Receive(segment, 0));
        byte[] answer = new byte[2000];
        Assert.True(KcpSegment.TryRead(answer.AsSpan(0, engine.Transmit(answer, 0)), out KcpSegment ack));
        Assert.Equal((KcpCommand.Ack, 200u, 32), (ack.Command, ack.Number, ack.Window));
    }

    private const int Unlimited = 1 << 30;

    private static readonly KcpOptions Options = new() { Interval = 10, Resend = 0 };

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(65535, 128)]
    public void SendsNoMoreThanBothWindowsAllow(int window, int expected)
    {
        var bench = new EngineBench(Options with { SendWindow = window });
        bench.User.ToSend = Unlimited;
        Assert.Equal(expected, bench.Pushes(0).Length);
        Assert.Equal(expected, bench.Engine.InFlight);
        Assert.Empty(bench.Drain(0));
        bench.Tell(1, 3, 1);
        Assert.Equal(expected < 3 ? 1 : 0, bench.Pushes(1).Length);
    }

    [Fact]
    public void TheWindowOpensAsAcksCome()
    {
        var bench = new EngineBench(Options with { SendWindow = 4 });
        bench.User.ToSend = Unlimited;
        bench.Drain(0);
        bench.Ack(5, 0, 0, 1);
        Assert.Equal([4], bench.Pushes(5));
        bench.Ack(6, 2, 0, 1);
        Assert.Empty(bench.Pushes(6));
        bench.Ack(7, 1, 0, 3);
        Assert.Equal([5, 6], bench.Pushes(7));
    }

    /// <summary>What the peer said before, as an older datagram that the network held back tells, is not what it can take now.</summary>
    [Fact]
    public void AnOlderDatagramThatComesLateDoesNotCloseTheWindow()
    {
        var bench = new EngineBench(Options);
        bench.User.ToSend = Unlimited;
        bench.Drain(0);
        Assert.Equal([100, 100, 100, 120, 0, 0], new (ushort Window, uint Una)[] { (100, 2), (0, 1), (0, 2), (120, 2), (0, 3), (100, 2) }
            .Select((told, i) =>
            {
                Assert.True(bench.Tell(i + 1, told.Window, told.Una));
                return bench.Engine.RemoteWindow;
            }));
    }

    [Fact]
    public void AWindowFromBeyondWhatWasSentIsNotBelieved()
    {
        var bench = new EngineBench(Options);
        bench.User.ToSend = Unlimited;
        uint sent = (uint)bench.Pushes(0).Length;
        bench.Tell(1, 50, 1);
        bench.Tell(2, 0, sent + 1);
        Assert.Equal(50, bench.Engine.RemoteWindow);
        bench.Tell(3, 7, sent);
        Assert.Equal(7, bench.Engine.RemoteWindow);
    }

    [Fact]
    public void TheWindowIsAskedForOnDemandAndTheAnswerIsCounted()
    {
        var bench = new EngineBench(Options);
        bench.Engine.AskWindow();
        Assert.Equal(KcpCommand.WindowAsk, Assert.Single(bench.Drain(0)).Command);
        Assert.Empty(bench.Drain(0));
        bench.Tell(1, 100);
        Assert.Equal(1, bench.Engine.Counters.WindowTells);
    }

    [Fact]
    public void AdvertisesWhatIsFree()
    {
        var bench = new EngineBench(Options with { ReceiveWindow = 4 });
        bench.User.Accepts = false;
        for (uint i = 0; i < 4; i++)
        {
            bench.Push(1, i);
            Assert.Equal(3 - i, (uint)Assert.Single(bench.Drain(1)).Window);
        }

        Assert.Equal(4, bench.Engine.WaitingForUser);
    }

    [Fact]
    public void TellsWhenAFullWindowOpens()
    {
        var bench = new EngineBench(Options with { ReceiveWindow = 2 });
        bench.User.Accepts = false;
        bench.Push(1, 0);
        bench.Push(1, 1);
        bench.Push(1, 2);
        bench.Drain(1);
        bench.User.Accepts = true;
        bench.Engine.DeliverWaiting();
        KcpSegment tell = Assert.Single(bench.Drain(2));
        Assert.Equal((KcpCommand.WindowTell, (ushort)2), (tell.Command, tell.Window));
        Assert.Equal(30, bench.User.Received);
        Assert.Empty(bench.Drain(3));
    }

    [Fact]
    public void AnswersAProbe()
    {
        var bench = new EngineBench(Options);
        bench.Feed(1, new KcpSegment(EngineBench.Conv, KcpCommand.WindowAsk, 0, 5, 0, 0, 0, 0));
        Assert.Equal(KcpCommand.WindowTell, Assert.Single(bench.Drain(1)).Command);
        Assert.Equal(5, bench.Engine.RemoteWindow);
    }

    [Fact]
    public void ProbesAClosedWindowMoreAndMoreSeldom()
    {
        var bench = new EngineBench(Options);
        bench.Tell(0, 0);
        bench.User.ToSend = Unlimited;
        Assert.Empty(bench.Drain(0));
        var gaps = new List<long>();
        long last = 0;
        while (gaps.Count < 20)
        {
            long now = bench.Engine.Deadline;
            Assert.Equal(KcpCommand.WindowAsk, Assert.Single(bench.AdvanceAndDrain(now)).Command);
            gaps.Add(now - last);
            last = now;
        }

        Assert.Equal([500, 750, 1125, 1687], gaps[..4]);
        Assert.Equal(120_000, gaps[^1]);
        bench.Tell(last + 5, 2);
        Assert.Equal([0, 1], bench.Pushes(last + 5));
        bench.Ack(last + 6, 1, (uint)last + 5, 2, 0);
        bench.Drain(last + 6);
        Assert.Equal(last + 506, bench.Engine.Deadline);
    }

    [Fact]
    public void AClosedWindowIsNotProbedWithNothingToSend()
    {
        var bench = new EngineBench(Options);
        bench.Tell(0, 0);
        Assert.Empty(bench.Drain(0));
        Assert.Equal(long.MaxValue, bench.Engine.Deadline);
    }

    [Fact]
    public void CongestionWindowStartsAtOneAndFallsBackToOne()
    {
        var bench = new EngineBench(Options with { NoCongestion = false });
        bench.User.ToSend = Unlimited;
        Assert.Single(bench.Pushes(0));
        for (uint i = 0; i < 30; i++)
        {
            bench.Ack(10 + i, i, 0, i + 1);
            bench.Drain(10 + i);
        }

        Assert.InRange(bench.Engine.Window, 4, 31);
        // A question first, then what it got no answer to is lost.
        bench.AdvanceAndDrain(10_000);
        bench.AdvanceAndDrain(20_000);
        Assert.Equal(1, bench.Engine.Window);
    }
}
