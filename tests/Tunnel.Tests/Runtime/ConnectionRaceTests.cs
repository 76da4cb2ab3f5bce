using System.Net;
using System.Net.Sockets;
using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Runtime;

public class ConnectionRaceTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>One that succeeds in the moment in which nobody wants it any more is somebody's, who closes it; else it would stay open for ever.</summary>
    [Fact(Timeout = 60_000)]
    public async Task ASocketThatConnectsAsTheTimeIsOverIsNotLost()
    {
        using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen();
        var address = (IPEndPoint)listening.LocalEndPoint!;
        TcpSocket connected = await Connected.ToAsync(address, Reactors.OfProcess.Next(), Cancel);
        var attempt = new TaskCompletionSource<TcpSocket>();
        using var cancel = new CancellationTokenSource();
        IEnumerable<IPEndPoint> Addresses()
        {
            yield return address;
            // The head start is over: asked for the next.
            attempt.SetResult(connected);
            cancel.Cancel();
        }

        using TcpSocket won = await ConnectionRace.RunAsync(Addresses(), (_, _) => attempt.Task, cancel.Token);
        Assert.Same(connected, won);
    }
}
