using System.Net;
using System.Net.Sockets;
using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Runtime;

/// <summary>Which thread waits for what.</summary>
public sealed class ReactorsTests : IDisposable
{
    private readonly Reactors _reactors = new(4);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void LinksAreSharedOutInTheirOrder()
    {
        Reactor[] taken = [.. Enumerable.Range(0, 6).Select(_reactors.Take)];
        Assert.Equal(4, taken.Distinct().Count());
        Assert.Equal(taken[..2], taken[4..]);
    }

    /// <summary>A session's sockets would else wait for its lock on another thread.</summary>
    [Fact]
    public void SocketsGoWhereLinksAre()
    {
        Assert.Equal(2, Several().Count);
        Reactor first = _reactors.Take(0), last = _reactors.Take(3), again = _reactors.Take(3);
        Assert.Equal([first, last], Several());
        _reactors.Release(first);
        _reactors.Release(again);
        Assert.Equal([last], Several());
        _reactors.Release(last);
        Assert.Equal(3, Several().Count);
    }

    [Fact]
    public async Task OnAReactorsThreadItIsThatOne()
    {
        Reactor first = _reactors.Take(0);
        _reactors.Take(1);
        var here = new TaskCompletionSource<HashSet<Reactor>>(TaskCreationOptions.RunContinuationsAsynchronously);
        first.Post(new ReactorWork(() => here.SetResult([.. Enumerable.Range(0, 10).Select(_ => _reactors.Here())])));
        Assert.Equal([first], await here.Task.WaitAsync(Cancel));
        HashSet<Reactor> elsewhere = await Task.Run(() => new HashSet<Reactor>(Enumerable.Range(0, 10).Select(_ => _reactors.Here())), Cancel);
        Assert.Equal(2, elsewhere.Count);
    }

    /// <summary>Connections are taken by the reactor that the first link will have, and go to those that have links by then.</summary>
    [Fact]
    public async Task ConnectionsGoWhereLinksAreByThen()
    {
        var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen();
        EndPoint address = listening.LocalEndPoint!;
        using SocketAcceptor acceptor = _reactors.Accept(listening);
        Reactor linked = _reactors.Take(2);
        for (int i = 0; i < 3; i++)
        {
            using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await peer.ConnectAsync(address, Cancel);
            using TcpSocket socket = await acceptor.AcceptAsync(Cancel);
            Assert.Same(linked, socket.Reactor);
        }
    }

    public void Dispose() => _reactors.Dispose();

    private HashSet<Reactor> Several() => [.. Enumerable.Range(0, 100).Select(_ => _reactors.Next())];
}
