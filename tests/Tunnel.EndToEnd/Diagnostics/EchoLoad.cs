using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>Bytes that go there and back through the tunnel, until it is disposed; at a pace that leaves the machine some of its time.</summary>
internal sealed class EchoLoad : IAsyncDisposable
{
    private const int Block = 32 * 1024;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    private EchoLoad(IEnumerable<Socket> sockets) => _running = Task.WhenAll(sockets.Select(RunAsync));

    public static async Task<EchoLoad> StartAsync(int proxyPort, int targetPort, int connections)
    {
        List<Socket> sockets = [];
        for (int i = 0; i < connections; i++)
            sockets.Add(await SocksClient.ConnectAsync(proxyPort, "127.0.0.1", targetPort));
        return new EchoLoad(sockets);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync(Socket socket)
    {
        using Socket owned = socket;
        byte[] block = new byte[Block];
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                await owned.SendAllAsync(block);
                await owned.ReceiveExactlyAsync(Block);
                await Task.Delay(Pace);
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // A test may end the tunnel under it.
        }
    }
}
