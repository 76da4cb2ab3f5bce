using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Limits;

/// <summary>A process that may open few files is told so at start, and takes no more connections than it has descriptors for.</summary>
public class DescriptorTests : EndToEndTest
{
    private const int Files = 400;
    private const int Connections = Files - 256;

    [Fact(Timeout = Limit)]
    public async Task AClientWithFewDescriptorsTakesAsManyConnectionsAsItCan()
    {
        Requires.Tool("prlimit");
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        await StartServerAsync(TunnelSettings.UdpServer(port));
        TunnelProcess client = Launch(
            ["prlimit", $"--nofile={Files}:{Files}", Binaries.Client], TunnelSettings.UdpClient(port).WithForward(target.Address));
        await client.ReadyAsync();
        await client.ConnectedAsync();
        await client.LineAsync($"this process may open {Files} files, but listeners.max_connections");

        int forward = await client.ForwardPortAsync();
        List<Socket> sockets = [];
        for (int i = 0; i < 2 * Files; i++)
            sockets.Add(await BeginAsync(forward));
        await client.LineAsync($"there are {Connections} already (listeners.max_connections)");
        // Those that were taken are served all the same.
        await EchoAsync(sockets[0]);
        sockets.ForEach(s => s.Dispose());
        await Until.TrueAsync("a new connection is served", async () =>
        {
            using Socket socket = await BeginAsync(forward);
            return await TryEchoAsync(socket);
        });
        Assert.Equal(1, client.Count("is up"));
    }

    /// <summary>A connection, or one that was broken off at once.</summary>
    private static async Task<Socket> BeginAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(System.Net.IPAddress.Loopback, port);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // What is sent on it fails, too.
        }

        return socket;
    }

    private static async Task EchoAsync(Socket socket) => Assert.True(await TryEchoAsync(socket));

    private static async Task<bool> TryEchoAsync(Socket socket)
    {
        try
        {
            await socket.SendTextAsync("hello");
            return await socket.ReceiveTextAsync(5) == "hello";
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }
}
