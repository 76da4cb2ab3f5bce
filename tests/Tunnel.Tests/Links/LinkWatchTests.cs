using System.Net;
using Tunnel.Links;
using Tunnel.Links.AfPacket;
using Tunnel.Links.Memory;
using Tunnel.Links.Native;
using Tunnel.Links.Pcap;
using Tunnel.Links.Sockets;
using Tunnel.Links.Udp;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Links;

/// <summary>Links that a reactor waits for, of every kind: all that arrives is told, and what ends them.</summary>
public sealed class LinkWatchTests : IDisposable
{
    private const int Many = 200;

    private readonly List<Exception> _defects = [];
    private readonly Reactor _reactor;

    public LinkWatchTests() => _reactor = new Reactor("test", () => { }, () => false, _defects.Add);

    /// <summary>Every kind of link.</summary>
    public static TheoryData<string> Kinds => ["memory", "udp", "udp, three ports", "afpacket", "pcap", "replaceable"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>More than one look takes, what was there before anybody watched, and what comes after; and nothing once nobody does.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AllThatArrivesIsTold(string kind)
    {
        using Ends ends = Open(kind);
        var receiver = new Receiver(ends.Link);
        ends.Send(Many);
        using LinkWatch watch = _reactor.Watch(receiver);
        ends.Link.Watch(watch);
        await receiver.WaitForAsync(Many);
        ends.Send(Many);
        await receiver.WaitForAsync(2 * Many);

        ends.Link.Watch(null);
        await TurnAsync();
        int looks = receiver.Looks;
        ends.Send(1);
        ends.Link.Wake();
        await TurnAsync();
        Assert.Equal((2 * Many, looks), (receiver.Count, receiver.Looks));

        // Somebody else may watch it, and it may be closed while he does.
        ends.Link.Watch(watch);
        await receiver.WaitForAsync((2 * Many) + 1);
        ends.Link.Dispose();
        await TurnAsync();
        Assert.Empty(_defects);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AWakeIsToldOnceAndAWatchThatEndedTellsNothing(string kind)
    {
        using Ends ends = Open(kind);
        var receiver = new Receiver(ends.Link);
        LinkWatch watch = _reactor.Watch(receiver);
        ends.Link.Watch(watch);
        await TurnAsync();
        int before = receiver.Looks;
        ends.Link.Wake();
        await TurnAsync();
        int after = receiver.Looks;
        // A link within a link has a wake of its own.
        Assert.InRange(after, before + 1, before + 2);
        await TurnAsync();
        Assert.Equal(after, receiver.Looks);

        watch.Dispose();
        ends.Send(1);
        ends.Link.Wake();
        await TurnAsync();
        Assert.Equal(after, receiver.Looks);
    }

    /// <summary>The kernel tells of sockets first that were ready first; a storm of new connections makes thousands ready at once.</summary>
    [Fact]
    public async Task ALinkDoesNotWaitForThousandsOfSocketsThatWereReadyBeforeIt()
    {
        const int sockets = 1000;
        using var held = new ManualResetEventSlim();
        using var told = new Told(_reactor, sockets);
        int before = -1;
        (MemoryLink near, MemoryLink far) = MemoryLink.CreatePair(new MemoryWireOptions(), 1);
        using (near)
        using (far)
        {
            var receiver = new Receiver(near) { OnFirst = () => before = told.Count };
            using LinkWatch watch = _reactor.Watch(receiver);
            near.Watch(watch);
            await TurnAsync();
            _reactor.Post(new ReactorWork(held.Wait));
            told.BecomeReady();
            far.Send("x"u8, 1, far.RemoteAddress);
            held.Set();
            await receiver.WaitForAsync(1);
            await told.All.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
            Assert.InRange(before, 0, 128);
        }
    }

    /// <summary>Delayed datagrams come when their time has.</summary>
    [Fact]
    public async Task WhatIsUnderWayIsToldWhenItArrives()
    {
        (MemoryLink near, MemoryLink far) = MemoryLink.CreatePair(new MemoryWireOptions { DelayNanoseconds = 20_000_000 }, 1);
        using (near)
        using (far)
        {
            var receiver = new Receiver(near);
            using LinkWatch watch = _reactor.Watch(receiver);
            near.Watch(watch);
            for (int i = 1; i <= 3; i++)
            {
                far.Send("x"u8, 1, far.RemoteAddress);
                await receiver.WaitForAsync(i);
            }
        }
    }

    /// <summary>
    /// An interface that goes down is noticed though nothing arrives, tells once, and leaves the reactor in peace; another link takes its place.
    /// </summary>
    [Theory]
    [InlineData("afpacket")]
    [InlineData("pcap")]
    public async Task ALinkThatBreaksIsToldAndAnotherTakesItsPlace(string kind)
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        using IPacketLink far = OpenEthernet(kind, veth.Right, 29873);
        using var link = new ReplaceableLink(OpenEthernet(kind, veth.Left, 29874));
        var broke = new TaskCompletionSource<LinkException>(TaskCreationOptions.RunContinuationsAsynchronously);
        link.Broke += broke.SetResult;
        var receiver = new Receiver(link);
        using LinkWatch watch = _reactor.Watch(receiver);
        link.Watch(watch);

        TestHost.Run($"ip link set {veth.Left} down");
        Assert.Equal(LinkFault.Network, (await broke.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel)).Fault);
        await TurnAsync();
        int looks = receiver.Looks;
        await TurnAsync();
        Assert.InRange(receiver.Looks, looks, looks + 2);

        TestHost.Run($"ip link set {veth.Left} up");
        link.Replace(OpenEthernet(kind, veth.Left, 29874));
        byte[] frame = TestFrames.Tcp(29873, 29874, 100);
        while (receiver.Count == 0)
        {
            // The first ones may be lost while the cable comes up.
            far.Send(frame, frame.Length, default);
            await Task.Delay(10, Cancel);
        }

        Assert.Empty(_defects);
    }

    public void Dispose() => _reactor.Dispose();

    private static Ends Open(string kind) => kind switch
    {
        "memory" => OpenMemory(),
        "udp" => OpenUdp(UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback, Offload = false })),
        "udp, three ports" => OpenUdpRange(),
        "replaceable" => OpenReplaceable(),
        _ => OpenLoopback(kind),
    };

    private static Ends OpenMemory()
    {
        (MemoryLink near, MemoryLink far) = MemoryLink.CreatePair(new MemoryWireOptions(), 1);
        return new Ends(near, far, count => far.Send(new byte[count], 1, far.RemoteAddress));
    }

    private static Ends OpenUdp(UdpLink link)
    {
        UdpLink far = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback, Offload = false });
        byte[] to = To(link.LocalPort);
        return new Ends(link, far, count => far.Send(new byte[count], 1, to));
    }

    private static Ends OpenUdpRange()
    {
        UdpLink far = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback, Offload = false });
        (UdpRangeLink link, int first) = RangeSomewhere();
        int sent = 0;
        return new Ends(link, far, count =>
        {
            for (int i = 0; i < count; i++)
                far.Send("x"u8, 1, To(first + (sent++ % 3)));
        });
    }

    private static Ends OpenReplaceable()
    {
        Ends udp = OpenUdp(UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback, Offload = false }));
        return new Ends(new ReplaceableLink(udp.Link), udp.Far, udp.Send);
    }

    private static Ends OpenLoopback(string kind)
    {
        TestHost.RequireRoot();
        int port = kind == "pcap" ? 29875 : 29876;
        IPacketLink link = OpenEthernet(kind, "lo", port);
        byte[] frame = TestFrames.Tcp(29877, (ushort)port, 60);
        frame.AsSpan(0, 12).Clear();
        return new Ends(link, link, count =>
        {
            for (int i = 0; i < count; i++)
                link.Send(frame, frame.Length, default);
        });
    }

    private static IPacketLink OpenEthernet(string kind, string name, int port) => kind == "pcap"
        ? PcapLink.Open(new PcapOptions { Interface = name, FirstPort = port })
        : AfPacketLink.Open(new AfPacketOptions { Interface = name, FirstPort = port });

    private static (UdpRangeLink Link, int First) RangeSomewhere()
    {
        for (int first = 29_400; ; first += 3)
        {
            try
            {
                return (UdpRangeLink.Open(new UdpOptions { Address = IPAddress.Loopback, Port = first, Offload = false }, 3), first);
            }
            catch (LinkException e) when (e.Fault == LinkFault.PortInUse)
            {
                // The next.
            }
        }
    }

    private static byte[] To(int port) => new IPEndPoint(IPAddress.Loopback, port).Serialize().Buffer.ToArray();

    /// <summary>Whatever was ready before has been told once this has run: a turn that began after it, and the one before.</summary>
    private async Task TurnAsync()
    {
        for (int i = 0; i < 2; i++)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _reactor.Post(new ReactorWork(done.SetResult));
            await done.Task.WaitAsync(Cancel);
        }
    }

    private sealed record Ends(IPacketLink Link, IPacketLink Far, Action<int> Send) : IDisposable
    {
        public void Dispose()
        {
            Link.Dispose();
            Far.Dispose();
        }
    }

    /// <summary>Descriptors that are ready one after the other, and are told once each.</summary>
    private sealed class Told(Reactor reactor, int number) : IReactorTarget, IDisposable
    {
        private readonly List<(WakeEvent Event, int Place)> _ready = [];
        private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Those that were told.</summary>
        public int Count { get; private set; }

        public Task All => _all.Task;

        public void BecomeReady()
        {
            for (int i = 0; i < number; i++)
            {
                var ready = new WakeEvent();
                ready.Set();
                _ready.Add((ready, reactor.Register(ready.Descriptor, this, room: false)));
            }
        }

        void IReactorTarget.OnEvents(uint events)
        {
            if (++Count == number)
                _all.SetResult();
        }

        void IReactorTarget.End()
        {
            // It never throws.
        }

        public void Dispose()
        {
            foreach ((WakeEvent ready, int place) in _ready)
            {
                reactor.Unregister(place, ready.Descriptor);
                ready.Dispose();
            }
        }
    }

    /// <summary>Takes one batch each time it is told.</summary>
    private sealed class Receiver(IPacketLink link) : ILinkObserver, IFrameSink
    {
        private int _count;
        private int _looks;

        public int Count => Volatile.Read(ref _count);

        public int Looks => Volatile.Read(ref _looks);

        /// <summary>Is called when the first one arrives.</summary>
        public Action? OnFirst { get; init; }

        public void OnReady()
        {
            try
            {
                link.Receive(this, 0);
            }
            catch (ObjectDisposedException)
            {
                // Told just before it was closed: whoever owns both ends the watch first.
            }

            Interlocked.Increment(ref _looks);
        }

        public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength)
        {
            if (Interlocked.Increment(ref _count) == 1)
                OnFirst?.Invoke();
        }

        public void OnBatchEnd()
        {
            // Nobody is entered.
        }

        public async Task WaitForAsync(int count)
        {
            while (Count < count)
                await Task.Delay(5, Cancel);
            Assert.Equal(count, Count);
        }
    }
}
