using System.Net;
using System.Net.Sockets;
using Tunnel.Links.Sockets;

namespace Tunnel.Tests.Support;

/// <summary>A reactor of a test's own, and connections on loopback: one of its sockets at one end, the platform's at the other.</summary>
internal sealed class LoopbackReactor : IDisposable
{
    private readonly Reactor _reactor = new("test", () => { }, () => false, _ => { });
    private readonly Socket _listening = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public LoopbackReactor()
    {
        _listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listening.Listen();
    }

    /// <summary>Both are the caller's to close.</summary>
    public async Task<(TcpSocket Socket, Socket Peer)> ConnectAsync(CancellationToken cancel) =>
        (await Connected.ToAsync((IPEndPoint)_listening.LocalEndPoint!, _reactor, cancel), await _listening.AcceptAsync(cancel));

    public void Post(IReactorWork work) => _reactor.Post(work);

    public void Dispose()
    {
        _listening.Dispose();
        _reactor.Dispose();
    }
}
