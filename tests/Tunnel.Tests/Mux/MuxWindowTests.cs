using System.Buffers.Binary;
using Tunnel.Protocol.Mux;

namespace Tunnel.Tests.Mux;

public class MuxWindowTests
{
    private static readonly MuxOptions Version1 = new() { Version = 1, SessionBuffer = 10_000 };

    [Fact]
    public void TheFirstWindowIsSmuxsGuess()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        bench.Mux.TryWrite(stream, new byte[300_000]);
        Assert.Equal(262_144, bench.Drain().Sum(f => f.Data.Length));
        Assert.False(bench.Mux.HasOutput);
        bench.FeedUpdate(3, 100, 262_144);
        Assert.Equal(100, bench.Drain().Sum(f => f.Data.Length));
        bench.FeedUpdate(3, 262_244, 1_000);
        Assert.Equal(1_000, bench.Drain().Sum(f => f.Data.Length));
        bench.FeedUpdate(3, 263_244, 1 << 20);
        Assert.Equal(300_000 - 263_244, bench.Drain().Sum(f => f.Data.Length));
        Assert.Single(bench.Events());
    }

    /// <summary>With little memory, what is granted shrinks; what was granted is still taken.</summary>
    [Fact]
    public void WindowsAreSmallerWhenMemoryIsShort()
    {
        const int window = 1 << 20;
        var memory = new Memory();
        var bench = new MuxBench(new MuxOptions { StreamBuffer = window, SessionBuffer = 8 << 20 }, admission: memory);
        MuxStream stream = bench.Accept(2);
        bench.Feed(MuxCommand.Data, 2, new byte[1000]);
        bench.ReadAll(stream);
        Assert.Equal(MuxBench.Update(1000, window), Assert.Single(bench.Drain()).Data);

        memory.WindowShift = 4;
        uint read = 1000;
        for (; read < 1000 + window / 2; read += 1000)
        {
            bench.Feed(MuxCommand.Data, 2, new byte[1000]);
            bench.ReadAll(stream);
        }

        Assert.Equal(MuxBench.Update(read, window >> 4), Assert.Single(bench.Drain()).Data);
        // All of what the first window allows is on its way.
        for (int sent = 0; sent < window / 2; sent += 1000)
            bench.Feed(MuxCommand.Data, 2, new byte[1000]);
        Assert.False(bench.Mux.IsClosed);
        Assert.Equal([BufferBound.StreamFull], memory.Bounds);

        // A new stream's peer is told before it sends anything.
        memory.WindowShift = 6;
        bench.Feed(MuxCommand.Open, 4);
        Assert.Equal(MuxBench.Update(0, 16_384), Assert.Single(bench.Drain()).Data);
    }

    [Fact]
    public void AVersion1SessionThatIsFullIsCounted()
    {
        var memory = new Memory();
        var bench = new MuxBench(Version1, admission: memory);
        bench.Accept(2);
        bench.Feed(MuxCommand.Data, 2, new byte[10_000]);
        Assert.Empty(memory.Bounds);
        Assert.False(bench.Feed(MuxCommand.KeepAlive, 0));
        Assert.False(bench.Feed(MuxCommand.KeepAlive, 0));
        Assert.Equal([BufferBound.SessionFull], memory.Bounds);
    }

    private sealed class Memory : IStreamAdmission
    {
        public int MaxStreams => int.MaxValue;

        public List<BufferBound> Bounds { get; } = [];

        public int WindowShift { get; set; }

        public StreamAdmission Admit(int streams) => StreamAdmission.Admitted;

        public void Release()
        {
        }

        public void OnBound(BufferBound bound) => Bounds.Add(bound);
    }

    [Fact]
    public void AnUpdateThatClaimsTooMuchSendsNothing()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        bench.FeedUpdate(3, 1, 1 << 20);
        bench.Mux.TryWrite(stream, new byte[100]);
        Assert.Empty(bench.Drain());
        bench.FeedUpdate(3, 0, 1 << 20);
        Assert.Single(bench.Drain());
    }

    /// <summary>Each stream keeps to the window that every peer guesses; together they are more than the session has.</summary>
    [Fact]
    public void AllStreamsTogetherAreBoundedToo()
    {
        var options = new MuxOptions { SessionBuffer = 1 << 20, MaxStreams = 200 };
        var bench = new MuxBench(options, isClient: false);
        byte[] data = new byte[60_000];
        long most = 0;
        for (uint id = 1; id < 400 && !bench.Mux.IsClosed; id += 2)
        {
            bench.Feed(MuxCommand.Open, id);
            for (int i = 0; i < 4; i++)
                bench.Feed(MuxCommand.Data, id, data);
            most = Math.Max(most, bench.Mux.Buffered);
        }

        Assert.Equal(CloseReason.WindowExceeded, bench.Mux.CloseReason);
        Assert.InRange(most, 16 << 20, 21 << 20);
    }

    /// <summary>
    /// Streams that begin one after the other are told what is fair for as many as there are by then, and all may stall with what they were told: more
    /// than the session's buffer together, and nobody's fault.
    /// </summary>
    [Fact]
    public void PeersThatKeepToTheirWindowsMayFillAllOfThem()
    {
        const int buffer = 8 << 20;
        var bench = new MuxBench(new MuxOptions { SessionBuffer = buffer, StreamBuffer = buffer, MaxStreams = 100 }, isClient: false);
        byte[] data = new byte[MuxFrame.MaximumData];
        long promised = 0;
        for (uint id = 3; id < 63; id += 2)
        {
            bench.Feed(MuxCommand.Open, id);
            bench.Feed(MuxCommand.Data, id, new byte[1]);
            bench.Mux.Read(bench.Mux.Streams.Single(s => s.Id == id), new byte[1]);
            int window = BinaryPrimitives.ReadInt32LittleEndian(Assert.Single(bench.Drain()).Data.AsSpan(4));
            promised += window;
            for (int left = window; left > 0; left -= data.Length)
                bench.Feed(MuxCommand.Data, id, data.AsSpan(0, Math.Min(left, data.Length)));
        }

        Assert.Equal((promised, 30), (bench.Mux.Buffered, bench.Mux.Streams.Count));
        Assert.InRange(promised, 3.9 * buffer, 4 * buffer);
        bench.Feed(MuxCommand.Data, 61, data);
        Assert.Equal(CloseReason.WindowExceeded, bench.Mux.CloseReason);
    }

    [Fact]
    public void UpdatesGoAtTheFirstReadAndThenEveryHalfWindow()
    {
        const int window = 1 << 20;
        var bench = new MuxBench(new MuxOptions { StreamBuffer = window, SessionBuffer = 8 << 20 });
        MuxStream stream = bench.Accept(2);
        bench.Feed(MuxCommand.Data, 2, new byte[1000]);
        Assert.Empty(bench.Drain());
        bench.Mux.Read(stream, new byte[1]);
        Assert.Equal(MuxBench.Update(1, window), Assert.Single(bench.Drain()).Data);
        long read = 1;
        var updates = new List<long>();
        for (int i = 0; i < 3 * window / 1000; i++)
        {
            bench.Feed(MuxCommand.Data, 2, new byte[1000]);
            read += bench.Mux.Read(stream, new byte[1000]);
            if (bench.Drain().Count != 0)
                updates.Add(read);
        }

        Assert.Equal(6, updates.Count + 1);
        Assert.All(updates.Zip(updates.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, window / 2, window / 2 + 1000));
    }

    [Fact]
    public void FinishedPeersGetNoUpdates()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Accept(2);
        bench.Feed(MuxCommand.Data, 2, new byte[1000]);
        bench.Feed(MuxCommand.Finish, 2);
        bench.ReadAll(stream);
        Assert.Empty(bench.Drain());
    }

    [Fact]
    public void ASmallerBufferThanTheGuessToleratesTheGuess()
    {
        var bench = new MuxBench(new MuxOptions { StreamBuffer = 65_536 });
        MuxStream stream = bench.Accept(2);
        for (int i = 0; i < 4; i++)
            bench.Feed(MuxCommand.Data, 2, new byte[65_535]);
        bench.Feed(MuxCommand.Data, 2, new byte[4]);
        Assert.False(bench.Mux.IsClosed);
        Assert.Equal(262_144, stream.Available);
        bench.Feed(MuxCommand.Data, 2, new byte[1]);
        Assert.Equal(CloseReason.WindowExceeded, bench.Mux.CloseReason);
    }

    [Fact]
    public void WithManyStreamsTheSessionsBufferIsShared()
    {
        var bench = new MuxBench(new MuxOptions { StreamBuffer = 1 << 20, SessionBuffer = 1 << 20 });
        for (uint id = 2; id <= 20; id += 2)
            bench.Accept(id);
        List<SentFrame> updates = bench.Drain();
        Assert.All(updates, f => Assert.Equal(MuxCommand.WindowUpdate, f.Command));
        Assert.Equal(MuxBench.Update(0, (1 << 20) / 10), updates[^1].Data);
    }

    [Fact]
    public void AStalledStreamStopsNobodyElse()
    {
        var bench = new MuxBench(new MuxOptions { Version = 2 });
        MuxStream stalled = bench.Open(), running = bench.Open();
        bench.Mux.TryWrite(stalled, new byte[1 << 20]);
        bench.Drain();
        Assert.True(stalled.HasPendingWrite);
        bench.Mux.TryWrite(running, new byte[1000]);
        Assert.Equal(running.Id, Assert.Single(bench.Drain()).StreamId);
    }

    [Fact]
    public void AGreedyStreamDoesNotStarveSmallOnes()
    {
        var bench = new MuxBench();
        MuxStream greedy = bench.Open();
        MuxStream[] small = [bench.Open(), bench.Open(), bench.Open()];
        bench.Mux.TryWrite(greedy, new byte[200_000]);
        bench.Drain(10);
        foreach (MuxStream stream in small)
            bench.Mux.TryWrite(stream, new byte[10]);
        List<SentFrame> next = bench.Drain(3);
        Assert.Superset(small.Select(s => s.Id).ToHashSet(), next.Select(f => f.StreamId).ToHashSet());
        Assert.Contains(next, f => f.StreamId == greedy.Id);
    }

    [Fact]
    public void EqualStreamsGetEqualShares()
    {
        var bench = new MuxBench();
        MuxStream[] streams = [bench.Open(), bench.Open(), bench.Open(), bench.Open()];
        foreach (MuxStream stream in streams)
            bench.Mux.TryWrite(stream, new byte[200_000]);
        ILookup<uint, SentFrame> sent = bench.Drain(400).ToLookup(f => f.StreamId);
        Assert.All(streams, s => Assert.InRange(sent[s.Id].Count(), 99, 101));
    }

    [Fact]
    public void Version1HasNoWindowsButTheSessionsBuffer()
    {
        var bench = new MuxBench(Version1);
        MuxStream stream = bench.Accept(2);
        Assert.True(bench.Feed(MuxCommand.Data, 2, new byte[9_999]));
        Assert.True(bench.Feed(MuxCommand.Data, 2, new byte[500]));
        Assert.False(bench.Feed(MuxCommand.Data, 2, new byte[500]));
        Assert.Equal(10_499, bench.Mux.Buffered);
        bench.Mux.Read(stream, new byte[499]);
        Assert.False(bench.Feed(MuxCommand.Data, 2, new byte[500]));
        bench.Mux.Read(stream, new byte[1]);
        Assert.True(bench.Feed(MuxCommand.Data, 2, new byte[500]));
        Assert.Empty(bench.Drain());
    }

    [Fact]
    public void Version1SendsWithoutLimit()
    {
        var bench = new MuxBench(Version1);
        MuxStream stream = bench.Open();
        bench.Mux.TryWrite(stream, new byte[1_000_000]);
        Assert.Equal(1_000_000, bench.Drain().Sum(f => f.Data.Length));
    }

    [Fact]
    public void WhileVersion1IsBlockedSilenceIsItsOwnDoing()
    {
        var bench = new MuxBench(Version1);
        MuxStream stream = bench.Accept(2);
        bench.Feed(MuxCommand.Data, 2, new byte[10_000]);
        for (long now = 0; now < 200_000; now += 5_000)
            bench.Mux.Advance(now);
        Assert.False(bench.Mux.IsClosed);
        bench.ReadAll(stream);
        bench.Mux.Advance(195_000 + 29_999);
        Assert.False(bench.Mux.IsClosed);
        bench.Mux.Advance(195_000 + 30_000);
        Assert.Equal(CloseReason.KeepAliveTimeout, bench.Mux.CloseReason);
    }

    /// <summary>Its peer has nothing on its way and no window, and hears nothing but this.</summary>
    [Fact]
    public void WhileVersion1IsBlockedItSaysThatItLives()
    {
        var bench = new MuxBench(Version1);
        bench.Mux.OneSignOfLifeIsEnough = true;
        bench.Accept(2);
        bench.Feed(MuxCommand.Data, 2, new byte[10_000]);
        bench.Drain();
        int signs = 0;
        for (long now = 0; now <= 60_000; now += 1_000)
        {
            bench.Mux.Advance(now);
            signs += bench.Drain().Count(f => f.Command == MuxCommand.KeepAlive);
        }

        Assert.InRange(signs, 4, 7);
    }
}
