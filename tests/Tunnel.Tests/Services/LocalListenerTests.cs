using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.App.Services;
using Tunnel.Links.Host;
using Tunnel.Links.Sockets;
using Tunnel.Tests.Support;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Tests.Services;

/// <summary>Listeners on loopback, several sockets each.</summary>
public class LocalListenerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1", 1)]
    [InlineData("127.0.0.1", 4)]
    [InlineData("::1", 4)]
    [InlineData("::", 2)]
    public async Task EverySocketHasTheSamePortAndIsAcceptedOn(string address, int acceptors)
    {
        using var listener = new Greeter(new IPEndPoint(IPAddress.Parse(address), 0), Gate(acceptors, 100));
        listener.Bind();
        _ = listener.RunAsync(Cancel);
        // More than enough for the kernel to have chosen each of the sockets.
        for (int i = 0; i < 40; i++)
            Assert.Equal('!', await GreetingOf(listener.LocalEndPoint));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 4)]
    [InlineData(4, 1)]
    [InlineData(4, 4)]
    public void AnAddressThatIsTakenIsNotShared(int first, int second)
    {
        Socket[] taken = ListenSockets.Open(new IPEndPoint(IPAddress.Loopback, 0), first, 1);
        var e = Assert.Throws<SocketException>(() => ListenSockets.Open((IPEndPoint)taken[0].LocalEndPoint!, second, 1));
        Assert.Equal(SocketError.AddressAlreadyInUse, e.SocketErrorCode);
        Array.ForEach(taken, s => s.Dispose());
    }

    /// <summary>A restart does not wait for the kernel to forget the connections of the process before.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task AnAddressThatWasLeftIsFree(int count)
    {
        Socket[] before = ListenSockets.Open(new IPEndPoint(IPAddress.Loopback, 0), 1, 1);
        var address = (IPEndPoint)before[0].LocalEndPoint!;
        using Socket client = await Connect(address);
        // Who closes first keeps the port, in TIME_WAIT.
        (await before[0].AcceptAsync(Cancel)).Dispose();
        Assert.Null(await Read(client));
        client.Dispose();
        before[0].Dispose();
        Array.ForEach(ListenSockets.Open(address, count, 1), s => s.Dispose());
    }

    [Fact]
    public async Task ConnectionsOverTheCapAreClosedAndCounted()
    {
        var lines = new LogLines();
        var gate = new ListenerGate(new ListenersConfig(null, 1, 1), lines);
        using var listener = new Greeter(new IPEndPoint(IPAddress.Loopback, 0), gate);
        listener.Bind();
        _ = listener.RunAsync(Cancel);
        using Socket first = await Connect(listener.LocalEndPoint);
        Assert.Equal('!', await Read(first));

        Assert.Null(await GreetingOf(listener.LocalEndPoint));
        Assert.Equal((1, 1, 1), (gate.Active, listener.Active, (int)gate.Refused));
        Assert.Contains("listeners.max_connections", Assert.Single(lines.All));

        first.Dispose();
        SpinWait.SpinUntil(() => gate.Active == 0);
        Assert.Equal('!', await GreetingOf(listener.LocalEndPoint));
    }

    [Fact]
    public async Task AcceptedSocketsDoNotWaitAndNoticeTheDead()
    {
        using var listener = new Greeter(new IPEndPoint(IPAddress.Loopback, 0), Gate(1, 1));
        listener.Bind();
        _ = listener.RunAsync(Cancel);
        await GreetingOf(listener.LocalEndPoint);
        Assert.Equal((1, 1, 60), listener.Seen);
    }

    /// <summary>The kernel keeps the backlog that it was last told; who waits meanwhile waits on.</summary>
    [Fact]
    public async Task ListeningAgainTakesTheBacklogOfNow()
    {
        int backlog = 5;
        using var listener = new Greeter(new IPEndPoint(IPAddress.Loopback, 0), new ListenerGate(() => new ListenersConfig(backlog, 2, 10), NullLogger.Instance));
        listener.Bind();
        Assert.Equal([5u, 5u], BacklogsOf(listener.LocalEndPoint));
        using Socket waits = await Connect(listener.LocalEndPoint);
        backlog = 9;
        listener.ListenAgain();
        Assert.Equal([9u, 9u], BacklogsOf(listener.LocalEndPoint));
        _ = listener.RunAsync(Cancel);
        Assert.Equal('!', await Read(waits));
    }

    /// <summary>Neither in silence nor with an end that looks meant; and its place is free again.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ADefectOfTheServiceIsAResetAndCounted(bool atOnce)
    {
        long before = DefectLog.OfProcess.Count;
        ListenerGate gate = Gate(1, 1);
        var address = new IPEndPoint(IPAddress.Loopback, 0);
        using LocalListener listener = atOnce ? new DefectiveAtOnce(address, gate) : new Defective(address, gate);
        listener.Bind();
        _ = listener.RunAsync(Cancel);
        // It may have come before the connecting is known to be over.
        var e = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            using Socket socket = await Connect(listener.LocalEndPoint);
            await Read(socket);
        });
        Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        SpinWait.SpinUntil(() => gate.Active == 0);
        Assert.True(DefectLog.OfProcess.Count > before);
    }

    private static uint[] BacklogsOf(IPEndPoint address) =>
        [.. ListenQueues.Read().Queues.Where(q => q.Local.Equals(address)).Select(q => q.Backlog)];

    private static ListenerGate Gate(int acceptors, int most) => new(new ListenersConfig(null, acceptors, most), NullLogger.Instance);

    /// <summary>Null when there is none: the connection ended or was reset.</summary>
    private static async Task<char?> GreetingOf(IPEndPoint address)
    {
        try
        {
            using Socket socket = await Connect(address);
            return await Read(socket);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static async Task<Socket> Connect(IPEndPoint address)
    {
        IPAddress to = address.Address.Equals(IPAddress.IPv6Any) ? IPAddress.Loopback : address.Address;
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(to, address.Port), Cancel);
        return socket;
    }

    private static async Task<char?> Read(Socket socket)
    {
        byte[] buffer = new byte[1];
        return await socket.ReceiveAsync(buffer, Cancel) == 0 ? null : (char)buffer[0];
    }

    private sealed class Defective(IPEndPoint listen, ListenerGate gate) : AwaitingListener(listen, gate, NullLogger.Instance)
    {
        protected override string Name => "defective";

        protected override ValueTask<Relay?> HandleAsync(TcpSocket socket, CancellationToken stop) => throw new InvalidOperationException("a defect");
    }

    private sealed class DefectiveAtOnce(IPEndPoint listen, ListenerGate gate) : LocalListener(listen, gate, NullLogger.Instance)
    {
        protected override string Name => "defective";

        protected override void Serve(TcpSocket socket, CancellationToken stop) => throw new InvalidOperationException("a defect");
    }

    /// <summary>Says one character and waits for the other side to close.</summary>
    private sealed class Greeter(IPEndPoint listen, ListenerGate gate) : AwaitingListener(listen, gate, NullLogger.Instance)
    {
        // From Linux's asm-generic/socket.h and tcp.h.
        private const int SoKeepAlive = 9;
        private const int TcpKeepIdle = 4;

        public (int? NoDelay, int? KeepAlive, int? Idle) Seen { get; private set; }

        protected override string Name => "greeter";

        protected override async ValueTask<Relay?> HandleAsync(TcpSocket socket, CancellationToken stop)
        {
            Seen = (socket.GetOption(IPPROTO_TCP, TCP_NODELAY), socket.GetOption(SOL_SOCKET, SoKeepAlive), socket.GetOption(IPPROTO_TCP, TcpKeepIdle));
            var exchange = new SocketExchange(socket);
            await exchange.SendAsync("!"u8.ToArray(), stop);
            await exchange.ReceiveAsync(new byte[1], stop);
            return null;
        }
    }
}
