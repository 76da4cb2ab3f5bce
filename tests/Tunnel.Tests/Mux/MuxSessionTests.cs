using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Mux;

public class MuxSessionTests
{
    [Theory]
    [InlineData(2, 1, 0, 0)]
    [InlineData(2, 3, 0, 0)]
    [InlineData(1, 2, 0, 0)]
    [InlineData(2, 2, 6, 0)]
    [InlineData(2, 2, 5, 1)]
    [InlineData(2, 2, 0, 1)]
    [InlineData(2, 2, 1, 1)]
    [InlineData(2, 2, 3, 1)]
    [InlineData(2, 2, 4, 7)]
    [InlineData(2, 2, 4, 9)]
    [InlineData(2, 2, 4, 0)]
    [InlineData(1, 1, 4, 8)]
    public void Violations(int version, byte frameVersion, byte command, int length)
    {
        var bench = new MuxBench(new MuxOptions { Version = version });
        MuxStream stream = bench.Open();
        bench.Feed(MuxBench.Frame(frameVersion, (MuxCommand)command, 2, new byte[length]));
        Assert.Equal(CloseReason.ProtocolError, bench.Mux.CloseReason);
        Assert.True(stream.IsClosed && stream.EndOfStream);
        Assert.Equal(long.MaxValue, bench.Mux.Deadline);
        Assert.False(bench.Mux.HasOutput);
        Assert.True(bench.Feed(MuxCommand.Open, 4));
        Assert.Equal(0, bench.Mux.StreamCount);
    }

    [Fact]
    public void APeerMayNotOpenOurNumbers()
    {
        var bench = new MuxBench();
        bench.Feed(MuxCommand.Open, 3);
        Assert.Equal(CloseReason.ProtocolError, bench.Mux.CloseReason);
    }

    [Fact]
    public void TheCapOfASession()
    {
        var bench = new MuxBench(new MuxOptions { MaxStreams = 2 });
        bench.Feed(MuxCommand.Open, 2);
        bench.Open();
        Assert.Null(bench.Mux.Open());
        bench.Feed(MuxCommand.Open, 4);
        Assert.Equal((MuxCommand.Finish, 4u), Assert.Single(bench.Drain()) is var refusal ? (refusal.Command, refusal.StreamId) : default);
        Assert.Equal(1, bench.Mux.StreamsRefused);
        Assert.Single(bench.Events());
        bench.Mux.Close(bench.Mux.Streams.First());
        Assert.NotNull(bench.Mux.Open());
    }

    [Fact]
    public void TheCapOverAllSessions()
    {
        var cap = new Cap(3);
        var a = new MuxBench(admission: cap);
        var b = new MuxBench(isClient: false, admission: cap);
        MuxStream first = a.Open();
        a.Feed(MuxCommand.Open, 2);
        b.Open();
        Assert.Null(b.Mux.Open());
        b.Feed(MuxCommand.Open, 3);
        Assert.Equal(1, b.Mux.StreamsRefused);
        a.Mux.CloseWrite(first);
        a.Drain();
        a.Feed(MuxCommand.Finish, first.Id);
        Assert.Equal(3, cap.Admitted);
        a.Mux.Close(first);
        Assert.Equal(2, cap.Admitted);
        a.Mux.Close(CloseReason.Local);
        a.Mux.Close(CloseReason.Local);
        b.Mux.Close(CloseReason.Local);
        Assert.Equal(0, cap.Admitted);
    }

    [Fact]
    public void RefusalsDoNotPileUpForEver()
    {
        var bench = new MuxBench(new MuxOptions { MaxStreams = 0 });
        for (uint id = 2; id < 200_000 && !bench.Mux.IsClosed; id += 2)
            bench.Feed(MuxCommand.Open, id);
        Assert.Equal(CloseReason.ProtocolError, bench.Mux.CloseReason);
    }

    [Fact]
    public void StreamsThatNobodyHearsOfDoNotPileUpEither()
    {
        var bench = new MuxBench();
        int opened = 0;
        for (; opened < 100_000 && bench.Mux.Open() is { } stream; opened++)
            bench.Mux.Close(stream);
        Assert.InRange(opened, 1000, 20_000);
        bench.Drain(10_000);
        Assert.NotNull(bench.Mux.Open());
    }

    /// <summary>A peer that takes nothing, but opens streams and ends them, each of which leaves something to be said behind.</summary>
    [Theory]
    [InlineData(MuxCommand.Finish, 0)]
    [InlineData(MuxCommand.Reset, 0)]
    [InlineData(MuxCommand.Reset, 200)]
    public void WhatIsLeftToSayDoesNotPileUpForEver(MuxCommand ending, int others)
    {
        var bench = new MuxBench(isClient: false);
        uint id = 1;
        for (; id < 2 * others; id += 2)
            bench.Feed(MuxCommand.Open, id);
        bench.Events();
        for (; id < 200_000 && !bench.Mux.IsClosed; id += 2)
        {
            bench.Feed(MuxCommand.Open, id);
            foreach (MuxEvent opened in bench.Events().Where(e => e.Kind == MuxEventKind.Opened))
            {
                bench.Mux.TryWrite(opened.Stream, new byte[1]);
                bench.Feed(ending, id);
                bench.Mux.Close(opened.Stream);
            }
        }

        Assert.Equal(CloseReason.ProtocolError, bench.Mux.CloseReason);
    }

    [Fact]
    public void KeepAlivesGoOutAtTheInterval()
    {
        var bench = new MuxBench(new MuxOptions { KeepAlive = 2_000, KeepAliveTimeout = 100_000 });
        for (int i = 1; i <= 5; i++)
        {
            Assert.Equal(i * 2_000, bench.Mux.Deadline);
            bench.Mux.Advance(bench.Mux.Deadline - 1);
            Assert.False(bench.Mux.HasOutput);
            bench.Mux.Advance(bench.Mux.Deadline);
            Assert.Equal(MuxCommand.KeepAlive, Assert.Single(bench.Drain()).Command);
        }
    }

    /// <summary>Time in which this end was held up is not the peer's silence; and a second is left to read what came in it.</summary>
    /// <param name="silent">Milliseconds of silence before.</param>
    /// <param name="left">Milliseconds that are left after.</param>
    [Theory]
    [InlineData(1_000, 7_000)]
    [InlineData(7_000, 1_000)]
    [InlineData(7_900, 1_000)]
    public void TimeInWhichThisEndWasHeldUpDoesNotCount(long silent, long left)
    {
        const long heldUp = 60_000;
        var bench = new MuxBench(new MuxOptions { KeepAlive = 7_999, KeepAliveTimeout = 8_000 });
        long now = silent + heldUp;
        bench.Mux.Excuse(heldUp, now);
        bench.Mux.Advance(now);
        bench.Mux.Advance(now + left - 1);
        Assert.False(bench.Mux.IsClosed);
        bench.Mux.Advance(now + left);
        Assert.Equal(CloseReason.KeepAliveTimeout, bench.Mux.CloseReason);
    }

    [Fact]
    public void SilenceEndsTheSession()
    {
        var bench = new MuxBench(new MuxOptions { KeepAlive = 2_000, KeepAliveTimeout = 8_000 });
        MuxStream stream = bench.Open();
        bench.Mux.Advance(7_000);
        Assert.False(bench.Mux.PeerSpoke);
        bench.Mux.SetTime(7_500);
        bench.Feed(MuxCommand.KeepAlive, 0);
        Assert.True(bench.Mux.PeerSpoke);
        bench.Mux.Advance(15_499);
        Assert.False(bench.Mux.IsClosed);
        bench.Mux.Advance(15_500);
        Assert.Equal(CloseReason.KeepAliveTimeout, bench.Mux.CloseReason);
        Assert.Equal([MuxEventKind.Readable, MuxEventKind.Written], bench.Events().Select(e => e.Kind).ToArray());
        Assert.True(stream.EndOfStream);
        Assert.False(bench.Mux.TryWrite(stream, new byte[1]));
        Assert.Null(bench.Mux.Open());
    }

    [Fact]
    public void WhatWasReceivedCanStillBeReadAfterTheEnd()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Accept(2);
        bench.Feed(MuxCommand.Data, 2, "ab"u8);
        bench.Mux.Close(CloseReason.Local);
        Assert.False(stream.EndOfStream);
        Assert.Equal("ab"u8.ToArray(), bench.ReadAll(stream));
        Assert.True(stream.EndOfStream);
        Assert.False(bench.Mux.HasOutput);
    }

    [Fact]
    public void MemoryIsGivenBack()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Accept(2);
        bench.Feed(MuxCommand.Data, 2, new byte[60_000]);
        Assert.InRange(bench.Mux.MemoryUse, 60_000, 70_000);
        bench.ReadAll(stream);
        bench.Mux.Advance(10_000);
        bench.Mux.SetTime(15_000);
        bench.Feed(MuxCommand.KeepAlive, 0);
        bench.Mux.Advance(20_000);
        // The stream itself.
        Assert.InRange(bench.Mux.MemoryUse, 1, 4096);
        bench.Mux.Close(stream);
        Assert.Equal(0, bench.Mux.MemoryUse);
    }

    [Fact]
    public void AnyGarbageIsSurvived() => TestSeed.Run(300, seed =>
    {
        var random = new Prng(seed);
        var bench = new MuxBench(new MuxOptions { Version = 1 + random.Next(2), SessionBuffer = 100_000, MaxStreams = 5 });
        byte[] data = new byte[2000];
        for (int i = 0; i < 500 && !bench.Mux.IsClosed; i++)
        {
            random.Fill(data);
            ushort length = (ushort)(random.Chance(0.5) ? 0 : 8);
            new MuxFrame((byte)(1 + random.Next(2)), (MuxCommand)random.Next(5), length, (uint)random.Next(16)).Write(data);
            bench.Feed(data.AsSpan(0, random.Chance(0.9) ? 8 + 8 * random.Next(2) : random.Next(data.Length)));
            foreach (MuxStream stream in bench.Mux.Streams.ToArray())
            {
                if (random.Chance(0.2))
                    bench.Mux.Read(stream, data);
                if (!stream.HasPendingWrite && random.Chance(0.3))
                    bench.Mux.TryWrite(stream, data);
            }

            bench.Mux.Open();
            bench.Fill();
            bench.Mux.Advance(i);
        }
    });

    private sealed class Cap(int most) : IStreamAdmission
    {
        public int WindowShift => 0;

        public int MaxStreams => int.MaxValue;

        public int Admitted { get; private set; }

        public StreamAdmission Admit(int streams)
        {
            if (Admitted >= most)
                return StreamAdmission.AllAreFull;
            Admitted++;
            return StreamAdmission.Admitted;
        }

        public void Release() => Admitted--;

        public void OnBound(BufferBound bound) => throw new InvalidOperationException($"{bound}");
    }
}
