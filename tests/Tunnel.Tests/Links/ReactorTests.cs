using System.Net;
using System.Net.Sockets;
using Tunnel.Links.Sockets;
using Tunnel.Tests.Support;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Tests.Links;

/// <summary>The reactor's sockets on loopback, against the platform's.</summary>
public sealed class ReactorTests : IDisposable
{
    private readonly List<string> _turns = [];
    private readonly Reactor _reactor;
    private readonly Socket _listening = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ReactorTests()
    {
        _reactor = new Reactor("test", () => Note("begin"), () => { Note("end"); return false; }, defect => Note(defect.Message));
        _listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listening.Listen(200);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IPEndPoint Address => (IPEndPoint)_listening.LocalEndPoint!;

    public void Dispose()
    {
        _listening.Dispose();
        _reactor.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5_000_000)]
    public async Task WhatIsSentArrivesWholeBothWays(int length)
    {
        using TcpSocket socket = await ConnectAsync();
        using Socket peer = await _listening.AcceptAsync(Cancel);
        byte[] sent = Bytes(length), received = new byte[length];

        // Far more than both buffers hold: the sender has to wait for room again and again.
        Task sending = new SocketExchange(socket).SendAsync(sent, Cancel).AsTask();
        await ReceiveAllAsync(received, buffer => peer.ReceiveAsync(buffer, Cancel));
        await sending;
        Assert.Equal(sent, received);

        var exchange = new SocketExchange(socket);
        sending = SendAllAsync(peer, sent);
        Array.Clear(received);
        await ReceiveAllAsync(received, buffer => exchange.ReceiveAsync(buffer, Cancel));
        await sending;
        Assert.Equal(sent, received);
    }

    /// <summary>The first message leaves at once in any case; the second must not wait for the first's acknowledgement.</summary>
    [Fact]
    public async Task ASecondMessageDoesNotWaitForTheFirst()
    {
        using TcpSocket socket = await ConnectAsync();
        using Socket peer = await _listening.AcceptAsync(Cancel);
        socket.Send("1"u8);
        Assert.Equal(0, socket.GetOption(IPPROTO_TCP, TCP_NODELAY));
        socket.Send("2"u8);
        Assert.Equal(1, socket.GetOption(IPPROTO_TCP, TCP_NODELAY));
    }

    /// <summary>One end's end leaves the other; when both have said theirs, or one broke it off, nothing is left.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AConnectionIsGoneWhenItIsAndNotBefore(bool reset)
    {
        using TcpSocket socket = await ConnectAsync();
        using Socket peer = await _listening.AcceptAsync(Cancel);
        peer.Shutdown(SocketShutdown.Send);
        await ToldAsync(() => socket.HasEnded);
        Assert.False(socket.IsGone);
        if (reset)
            peer.Close(0);
        else
            socket.ShutdownSend();
        await ToldAsync(() => socket.IsGone);
    }

    private static async Task ToldAsync(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(5, Cancel);
    }

    /// <summary>The option that makes the kernel reset what a dead process leaves is taken back before an end that is meant.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnEndThatIsMeantIsOrderlyEvenWhereDeathWouldBeAReset(bool shutdown)
    {
        using TcpSocket socket = await ConnectAsync();
        using Socket peer = await _listening.AcceptAsync(Cancel);
        socket.ResetOnDeath();
        Assert.Equal(1, LingerOf(socket));
        socket.Send("half"u8);
        if (shutdown)
        {
            socket.ShutdownSend();
            Assert.Equal(0, LingerOf(socket));
        }
        else
        {
            socket.Dispose();
        }

        byte[] received = new byte[8];
        Assert.Equal(4, await peer.ReceiveAsync(received, Cancel));
        Assert.Equal(0, await peer.ReceiveAsync(received, Cancel));

        // SOL_SOCKET and SO_LINGER of Linux.
        static int LingerOf(TcpSocket socket) => socket.GetOption(1, 13)!.Value;
    }

    [Fact]
    public async Task AnEndIsToldAndIsReadAsOne()
    {
        using TcpSocket socket = await ConnectAsync();
        using Socket peer = await _listening.AcceptAsync(Cancel);
        var observer = new Observer(socket);
        socket.Observer = observer;
        peer.Shutdown(SocketShutdown.Send);
        await observer.Ended.WaitAsync(Cancel);
        Assert.Equal(0, socket.Receive(new byte[1]));

        socket.ShutdownSend();
        Assert.Equal(0, await peer.ReceiveAsync(new byte[1], Cancel));
    }

    /// <summary>The kernel ends a read at the mark of urgent data, though more is there.</summary>
    [Fact]
    public async Task UrgentDataHidesWhatIsBehindIt()
    {
        using TcpSocket socket = await ConnectAsync();
        using Socket peer = await _listening.AcceptAsync(Cancel);
        peer.Send("abc"u8);
        peer.Send("x"u8, SocketFlags.OutOfBand);
        peer.Send("def"u8);
        // The kernel forgets the mark once it has been read past.
        Assert.True(SpinWait.SpinUntil(() => socket.MayHideMore, TimeSpan.FromSeconds(30)));
        byte[] buffer = new byte[10];
        var exchange = new SocketExchange(socket);
        int have = 0;
        while (have < 6)
            have += await exchange.ReceiveAsync(buffer.AsMemory(have), Cancel);
        Assert.Equal("abcdef"u8, buffer.AsSpan(0, have));
        Assert.False(socket.HasEnded);
    }

    [Fact]
    public async Task AResetIsOneAtTheOtherEnd()
    {
        TcpSocket socket = await ConnectAsync();
        using Socket peer = await _listening.AcceptAsync(Cancel);
        socket.Reset();
        var e = await Assert.ThrowsAsync<SocketException>(async () => await peer.ReceiveAsync(new byte[1], Cancel));
        Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
    }

    /// <summary>
    /// Bytes are passed on by one thread while another breaks the connection off: whichever of the two is at the option first, the other end must
    /// not take what it got for the whole.
    /// </summary>
    [Fact(Timeout = 60_000)]
    public async Task AResetIsOneWhileAnotherThreadPreparesForDeath()
    {
        for (int i = 0; i < 400; i++)
        {
            TcpSocket socket = await ConnectAsync();
            using Socket peer = await _listening.AcceptAsync(Cancel);
            int ready = 0;
            void Meet()
            {
                // Spinning: whoever sleeps comes too late.
                Interlocked.Increment(ref ready);
                while (Volatile.Read(ref ready) != 2)
                    Thread.SpinWait(1);
            }

            Task other = Task.Run(
                () =>
                {
                    Meet();
                    socket.ResetOnDeath();
                },
                Cancel);
            Meet();
            // Neither thread is always the first.
            Thread.SpinWait(i % 20);
            socket.Reset();
            await other;
            var e = await Assert.ThrowsAsync<SocketException>(async () => await peer.ReceiveAsync(new byte[1], Cancel));
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        }
    }

    [Fact]
    public async Task ThePeersResetBreaksTheConnection()
    {
        using TcpSocket socket = await ConnectAsync();
        Socket peer = await _listening.AcceptAsync(Cancel);
        peer.Close(0);
        var exchange = new SocketExchange(socket);
        var e = await Assert.ThrowsAsync<SocketException>(async () => await exchange.ReceiveAsync(new byte[1], Cancel));
        Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
    }

    [Fact]
    public async Task WhatIsClosedCannotBeUsed()
    {
        TcpSocket socket = await ConnectAsync();
        socket.Dispose();
        socket.Dispose();
        socket.Reset();
        socket.ShutdownSend();
        Assert.Throws<SocketException>(() => socket.Receive(new byte[1]));
        Assert.Throws<SocketException>(() => socket.Send(new byte[1]));
        Assert.Equal((SocketError.OperationAborted, null, null), (socket.Outcome, socket.LocalEndPoint, socket.RemoteEndPoint));
    }

    [Fact]
    public async Task NobodyListens()
    {
        IPEndPoint address = Address;
        _listening.Dispose();
        var e = await Assert.ThrowsAsync<SocketException>(async () => await Connected.ToAsync(address, _reactor, Cancel));
        Assert.Equal(SocketError.ConnectionRefused, e.SocketErrorCode);
    }

    [Fact]
    public async Task AWaitEndsWhenItIsCancelled()
    {
        using TcpSocket socket = await ConnectAsync();
        using var source = new CancellationTokenSource();
        Task<int> waiting = new SocketExchange(socket).ReceiveAsync(new byte[1], source.Token).AsTask();
        Assert.False(waiting.IsCompleted);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task AWaitEndsWhenTheSocketIsClosed()
    {
        using var exchange = new SocketExchange(await ConnectAsync());
        Task<int> waiting = exchange.ReceiveAsync(new byte[1], Cancel).AsTask();
        Assert.False(waiting.IsCompleted);
        exchange.Dispose();
        var e = await Assert.ThrowsAsync<SocketException>(() => waiting);
        Assert.Equal(SocketError.OperationAborted, e.SocketErrorCode);
        e = await Assert.ThrowsAsync<SocketException>(async () => await exchange.ReceiveAsync(new byte[1], Cancel));
        Assert.Equal(SocketError.OperationAborted, e.SocketErrorCode);
    }

    /// <summary>After a read that got less than it asked for nothing is tried until more is told of: nothing may be missed by it.</summary>
    [Fact]
    public async Task WhatComesAfterAShortReadIsRead()
    {
        using var exchange = new SocketExchange(await ConnectAsync());
        using Socket peer = await _listening.AcceptAsync(Cancel);
        byte[] buffer = new byte[100];
        for (int i = 1; i < buffer.Length; i++)
        {
            await peer.SendAsync(new byte[i], Cancel);
            for (int have = 0; have < i;)
                have += await exchange.ReceiveAsync(buffer, Cancel);
        }

        peer.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await exchange.ReceiveAsync(buffer, Cancel));
        Assert.Equal(0, await exchange.ReceiveAsync(buffer, Cancel));
    }

    /// <summary>Descriptors and places are used again at once: what happens to one socket must not be told to the one before.</summary>
    [Fact]
    public async Task PlacesOfClosedSocketsAreUsedAgain()
    {
        for (int i = 0; i < 300; i++)
        {
            using TcpSocket socket = await ConnectAsync();
            using Socket peer = await _listening.AcceptAsync(Cancel);
            byte[] buffer = new byte[1];
            await peer.SendAsync(new[] { (byte)i }, Cancel);
            Assert.Equal(1, await new SocketExchange(socket).ReceiveAsync(buffer, Cancel));
            Assert.Equal((byte)i, buffer[0]);
        }
    }

    [Fact]
    public async Task AnAcceptorTakesAllThatConnect()
    {
        const int count = 150;
        using var acceptor = new SocketAcceptor(_listening, _reactor, () => _reactor);
        Socket[] clients = [.. Enumerable.Range(0, count).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))];
        IPEndPoint address = Address;
        await Task.WhenAll(clients.Select(c => c.ConnectAsync(address, Cancel).AsTask()));
        for (int i = 0; i < count; i++)
        {
            using TcpSocket accepted = await acceptor.AcceptAsync(Cancel);
            await new SocketExchange(accepted).SendAsync("!"u8.ToArray(), Cancel);
        }

        foreach (Socket client in clients)
        {
            Assert.Equal(1, await client.ReceiveAsync(new byte[2], Cancel));
            client.Dispose();
        }

        Task<TcpSocket> next = acceptor.AcceptAsync(Cancel).AsTask();
        acceptor.Dispose();
        var e = await Assert.ThrowsAsync<SocketException>(() => next);
        Assert.Equal(SocketError.OperationAborted, e.SocketErrorCode);
    }

    [Fact]
    public async Task WorkRunsWithinATurnOnTheReactorsThread()
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        _reactor.Post(new ReactorWork(() =>
        {
            Note("work");
            done.SetResult(ReferenceEquals(Reactor.Current, _reactor));
        }));
        Assert.True(await done.Task.WaitAsync(Cancel));
        // Elsewhere: this test itself may go on where the one before it ended, on that one's reactor.
        Assert.Null(await Task.Run(() => Reactor.Current, Cancel));
        _reactor.Dispose();
        int at = _turns.IndexOf("work");
        Assert.Equal(["begin", "work", "end"], _turns[(at - 1)..(at + 2)]);
    }

    /// <summary>Whoever throws when told loses its own socket, which its other end sees; the thread goes on, and so does everybody else on it.</summary>
    [Fact]
    public async Task ADefectEndsItsOwnSocketAndNoOther()
    {
        using TcpSocket socket = await ConnectAsync(), other = await ConnectAsync();
        using Socket peer = await _listening.AcceptAsync(Cancel), otherPeer = await _listening.AcceptAsync(Cancel);
        var told = new Defective();
        socket.Observer = told;
        await peer.SendAsync("x"u8.ToArray(), Cancel);
        var e = await Assert.ThrowsAsync<SocketException>(async () => await peer.ReceiveAsync(new byte[1], Cancel));
        Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);

        await otherPeer.SendAsync("y"u8.ToArray(), Cancel);
        Assert.Equal(1, await new SocketExchange(other).ReceiveAsync(new byte[1], Cancel));
        // Told once more, that it is closed; which it takes as badly.
        _reactor.Dispose();
        Assert.Equal((2, 2), (told.Times, _turns.Count(turn => turn == "a defect")));
    }

    /// <summary>A thread that ended would take everybody's sockets with it; and its process.</summary>
    [Fact]
    public async Task DefectsOfWorkAndOfATurnsEndsAreToldAndEndNothing()
    {
        bool broken = true;
        void Break(string where) => _ = broken ? throw new InvalidOperationException(where) : false;
        var defects = new List<string>();
        using var reactor = new Reactor("test", () => Break("begin"), () => { Break("end"); return false; }, e => defects.Add(e.Message));
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        reactor.Post(new ReactorWork(() =>
        {
            reactor.Post(new ReactorWork(() => broken = false));
            reactor.Post(new ReactorWork(done.SetResult));
            Break("work");
        }));
        await done.Task.WaitAsync(Cancel);
        Assert.Equal(["begin", "work", "end", "begin"], defects);
    }

    private ValueTask<TcpSocket> ConnectAsync() => Connected.ToAsync(Address, _reactor, Cancel);

    private void Note(string what)
    {
        lock (_turns)
            _turns.Add(what);
    }

    private static byte[] Bytes(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7 + i / 256))];

    private static async Task ReceiveAllAsync(byte[] destination, Func<Memory<byte>, ValueTask<int>> receive)
    {
        for (int have = 0; have < destination.Length;)
        {
            int count = await receive(destination.AsMemory(have));
            Assert.NotEqual(0, count);
            have += count;
        }
    }

    private static async Task SendAllAsync(Socket socket, byte[] source)
    {
        for (int sent = 0; sent < source.Length;)
            sent += await socket.SendAsync(source.AsMemory(sent), Cancel);
    }

    private sealed class Observer(TcpSocket socket) : ISocketObserver
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Ended => _ended.Task;

        public void OnReady()
        {
            if (socket.HasEnded)
                _ended.TrySetResult();
        }
    }

    private sealed class Defective : ISocketObserver
    {
        public int Times { get; private set; }

        public void OnReady()
        {
            Times++;
            throw new InvalidOperationException("a defect");
        }
    }
}
