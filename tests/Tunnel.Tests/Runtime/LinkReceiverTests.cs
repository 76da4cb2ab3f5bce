using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Memory;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Tests.Runtime;

/// <summary>A receiver between its link and the streams that it tells.</summary>
public sealed class LinkReceiverTests : IDisposable
{
    private const int Batch = 128;
    private const int Streams = 5 * Batch;

    private readonly DeadlineLoop _deadlines = new();
    private readonly MemoryLink _far;
    private readonly ObservedLink _near;
    private readonly List<TunnelStream> _told = [];
    private readonly List<int> _unsaid = [];
    private readonly ManualResetEventSlim _all = new();

    public LinkReceiverTests()
    {
        (MemoryLink near, _far) = MemoryLink.CreatePair(new MemoryWireOptions(), 1);
        _near = new ObservedLink(near, () => _told.Count);
    }

    /// <summary>
    /// A peer opens many streams at once, and another one while they are told: what a batch of them says leaves before more are told, and the link
    /// is looked at while others are untold, without waiting.
    /// </summary>
    [Fact]
    public void AStormOfStreamsKeepsNobodyFromTheLink()
    {
        Session client = Factory().CreateSession(conv: 7, isClient: true, MonotonicClock.Now);
        var link = new ReplaceableLink(_near);
        var sessions = new ServerSessions(Factory(), new DatagramCarrier(), link, _deadlines, () => 1);
        sessions.StreamOpened += stream =>
        {
            if (_told.Count == 0)
                Open(client, 1);
            Answer(stream);
        };
        Open(client, Streams);
        using (var receiver = new ServerReceiver(link, sessions))
        {
            receiver.Start();
            Assert.True(_all.Wait(TimeSpan.FromSeconds(30)));
        }

        Assert.Equal(Streams + 1, _told.Count);
        Assert.True(_unsaid.Max() < Batch);
        Look[] looks = [.. _near.Looks.Where(look => look.Frames != 0)];
        Assert.Equal((2, 0, 1), (looks.Length, looks[0].Told, looks[1].Frames));
        // A batch when the first frames had come, and at most one before the next look.
        Assert.InRange(looks[1].Told, 1, 2 * Batch);
    }

    /// <summary>What awaited a session goes on within the batch that told it, and may end everything there, as a server's stop does.</summary>
    [Fact]
    public void EndedWithinABatchItClosesItsLinkAfterIt()
    {
        var link = new ReplaceableLink(_near);
        var sessions = new ServerSessions(Factory(), new DatagramCarrier(), link, _deadlines, () => 2);
        var receiver = new ServerReceiver(link, sessions);
        bool endsWithinABatch = false;
        sessions.StreamOpened += _ =>
        {
            endsWithinABatch |= _near.IsInBatch;
            receiver.Dispose();
        };
        // What the first has to tell is told before the second is looked at.
        _near.HasPeerForEachFrame = true;
        for (uint conv = 7; conv < 9; conv++)
            Open(Factory().CreateSession(conv, isClient: true, MonotonicClock.Now), 1);
        receiver.Start();
        Assert.True(_near.Closed.Wait(TimeSpan.FromSeconds(30)));
        Assert.True(endsWithinABatch);
        Assert.False(_near.WasClosedWithinABatch);
    }

    public void Dispose()
    {
        _deadlines.Dispose();
        _near.Dispose();
        _far.Dispose();
        _all.Dispose();
    }

    private static SessionFactory Factory() =>
        new("aes-128-gcm", new byte[32], new KcpOptions(), new MuxOptions(), mtu: 1350, guard: null, admission: null);

    private void Open(Session client, int streams)
    {
        byte[] buffer = new byte[1 << 16];
        for (int i = 0; i < streams; i++)
            Assert.NotNull(client.Mux.Open());
        while (client.Transmit(buffer, headroom: 0, MonotonicClock.Now) is { IsEmpty: false } run)
            _far.Send(buffer.AsSpan(0, run.Length), run.Stride, _far.RemoteAddress);
    }

    /// <summary>Notes how many of those told before have not been able to say anything yet.</summary>
    private void Answer(TunnelStream stream)
    {
        _unsaid.Add(_told.Count(s => s.BytesSent == 0));
        _told.Add(stream);
        Assert.True(stream.TryBeginWrite(new byte[] { 1 }));
        if (_told.Count == Streams + 1)
            _all.Set();
    }

    /// <param name="Frames">That were there.</param>
    /// <param name="Told">Streams that had been told when it began.</param>
    private sealed record Look(int Frames, int Told);

    /// <summary>A memory link that notes when its receiver looks at it.</summary>
    /// <param name="link">The link.</param>
    /// <param name="told">Those that it has told.</param>
    private sealed class ObservedLink(MemoryLink link, Func<int> told) : IPacketLink
    {
        public List<Look> Looks { get; } = [];

        /// <summary>Each frame of a batch comes from a host of its own.</summary>
        public bool HasPeerForEachFrame { get; set; }

        public bool IsInBatch { get; private set; }

        public ManualResetEventSlim Closed { get; } = new();

        public bool WasClosedWithinABatch { get; private set; }

        public string Name => link.Name;

        public LinkFraming Framing => link.Framing;

        public int MaxMergedLength => link.MaxMergedLength;

        public LinkCounters Counters => link.Counters;

        public int Receive(IFrameSink sink, int timeoutMilliseconds)
        {
            int before = told();
            IsInBatch = true;
            int frames = link.Receive(HasPeerForEachFrame ? new PeerForEachFrame(sink) : sink, timeoutMilliseconds);
            IsInBatch = false;
            Looks.Add(new Look(frames, before));
            return frames;
        }

        public void Watch(LinkWatch? watch) => link.Watch(watch);

        public int Send(ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address) => link.Send(run, frameLength, address);

        public bool SendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength) => link.SendMerged(frame, headerLength, segmentLength);

        public int MtuTowards(ReadOnlySpan<byte> address) => link.MtuTowards(address);

        public void Wake() => link.Wake();

        public void Dispose()
        {
            WasClosedWithinABatch |= IsInBatch;
            link.Dispose();
            Closed.Set();
        }
    }

    private sealed class PeerForEachFrame(IFrameSink sink) : IFrameSink
    {
        private byte _frames;

        public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength)
        {
            byte[] own = address.ToArray();
            // The address's last byte, in what the kernel calls sockaddr_in.
            own[7] += _frames++;
            sink.OnFrame(frame, own, segmentLength);
        }

        public void OnBatchEnd() => sink.OnBatchEnd();
    }
}
