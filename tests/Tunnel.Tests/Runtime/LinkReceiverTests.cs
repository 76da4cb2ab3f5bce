using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Tests.Runtime;

/// <summary>A receiver's thread between its link and the streams that it tells.</summary>
public sealed class LinkReceiverTests : IDisposable
{
    private const int Batch = 128;
    private const int Streams = 5 * Batch;

    private readonly DeadlineLoop _deadlines = new();
    private readonly MemoryLink _far;
    private readonly ObservedLink _near;
    private readonly List<TunnelStream> _told = [];
    private readonly List<int> _unsaid = [];

    public LinkReceiverTests()
    {
        (MemoryLink near, _far) = MemoryLink.CreatePair(new MemoryWireOptions(), 1);
        _near = new ObservedLink(near, Streams + 1, () => _told.Count);
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
            _near.WaitUntilIdle();
        }

        Assert.Equal(Streams + 1, _told.Count);
        Assert.True(_unsaid.Max() < Batch);
        Look first = _near.Looks[0], second = _near.Looks[1];
        Assert.Equal(Timeout.Infinite, first.Milliseconds);
        Assert.Equal((0, 1), (second.Milliseconds, second.Frames));
        // A batch when the first frames had come, and one before the next look.
        Assert.InRange(second.Told, 1, 2 * Batch);
        Assert.All(_near.Looks[1..].Where(look => look.Told <= Streams), look => Assert.Equal(0, look.Milliseconds));
    }

    public void Dispose()
    {
        _deadlines.Dispose();
        _near.Dispose();
        _far.Dispose();
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
    }

    /// <param name="Milliseconds">How long it would have waited.</param>
    /// <param name="Frames">That were there.</param>
    /// <param name="Told">Streams that had been told when it began.</param>
    private sealed record Look(int Milliseconds, int Frames, int Told);

    /// <summary>A memory link that notes when its receiver looks at it.</summary>
    /// <param name="link">The link.</param>
    /// <param name="streams">That its receiver is to tell before the test goes on.</param>
    /// <param name="told">Those that it has told.</param>
    private sealed class ObservedLink(MemoryLink link, int streams, Func<int> told) : IPacketLink
    {
        private readonly ManualResetEventSlim _idle = new();

        public List<Look> Looks { get; } = [];

        public string Name => link.Name;

        public LinkFraming Framing => link.Framing;

        public int MaxMergedLength => link.MaxMergedLength;

        public LinkCounters Counters => link.Counters;

        /// <summary>Waits until all have been told and the receiver waits for more.</summary>
        public void WaitUntilIdle() => Assert.True(_idle.Wait(TimeSpan.FromSeconds(30)));

        public int Receive(IFrameSink sink, int timeoutMilliseconds)
        {
            int before = told();
            if (timeoutMilliseconds == Timeout.Infinite && before == streams)
                _idle.Set();
            int frames = link.Receive(sink, timeoutMilliseconds);
            Looks.Add(new Look(timeoutMilliseconds, frames, before));
            return frames;
        }

        public int Send(ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address) => link.Send(run, frameLength, address);

        public bool SendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength) => link.SendMerged(frame, headerLength, segmentLength);

        public int MtuTowards(ReadOnlySpan<byte> address) => link.MtuTowards(address);

        public void Wake() => link.Wake();

        public void Dispose()
        {
            link.Dispose();
            _idle.Dispose();
        }
    }
}
