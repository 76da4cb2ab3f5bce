using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Limits;

/// <summary>transport.memory bounds what a process holds for others, whatever they do.</summary>
public class MemoryTests : EndToEndTest
{
    private const int Sessions = 8;
    private const int Streams = 400;
    private const int Ceiling = 4;
    private const int MostGrowth = 96;

    /// <summary>
    /// Many sessions, many streams, and a target that reads nothing: a client that offers a gigabyte. What is let in is what its windows
    /// grant; near the ceiling they are small, and above it streams are refused.
    /// </summary>
    [Fact(Timeout = Limit)]
    public async Task AServerWhoseTargetsDoNotReadStaysNearItsCeiling()
    {
        var release = new TaskCompletionSource();
        SocketTarget target = Own(SocketTarget.Start(_ => release.Task));
        UdpPair pair = await UdpPair.StartAsync(
            this,
            FreeUdpPort(),
            // What it keeps for later shrinks with the keepalives, too; these come too late for anybody here.
            s => s.With("transport.memory", $"{Ceiling}MiB")
                .With("transport.kcp.keepalive", "60s")
                .With("transport.kcp.keepalive_timeout", "120s"),
            c => c.With("transport.conn", Sessions).WithForward(target.Address));
        await pair.Client.ConnectedAsync(Sessions);
        long before = pair.Server.ResidentBytes;

        int port = await pair.Client.ForwardPortAsync();
        byte[] data = Payload.Bytes(1, 4 * Payload.MiB);
        Socket[] sockets = [.. Enumerable.Range(0, Streams).Select(
            _ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))];
        foreach (Socket socket in sockets)
            _ = OfferAsync(socket, port, data);
        // Even the smallest windows of so many streams are more than the ceiling; whoever comes then is refused.
        await Until.TrueAsync("a stream is refused", async () =>
        {
            using var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await OfferAsync(late, port, [1]);
            return pair.Server.Count("transport.memory is reached: a stream was refused") != 0;
        });
        double growth = (pair.Server.ResidentBytes - before) / (double)Payload.MiB;
        Assert.True(growth < MostGrowth, $"the server grew by {growth:0.0} MiB");
        Array.ForEach(sockets, s => s.Dispose());
        release.SetResult();

        // It was the ceiling, not a defect: with room again everybody is served.
        await Until.TrueAsync("there is room again", async () =>
        {
            SocketTarget echo = Own(SocketTarget.StartEcho());
            (Socket socket, byte reply) = await SocksClient.TryConnectAsync(await pair.Client.Socks5PortAsync(), "127.0.0.1", echo.Port);
            socket.Dispose();
            return reply == SocksClient.Succeeded;
        });
        Assert.Equal(0, pair.Server.Count("WindowExceeded"));
    }

    private static async Task OfferAsync(Socket socket, int port, byte[] data)
    {
        try
        {
            await socket.ConnectAsync(System.Net.IPAddress.Loopback, port);
            await socket.SendAllAsync(data);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Refused, or the test is over.
        }
    }
}
