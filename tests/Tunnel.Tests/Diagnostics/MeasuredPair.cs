using System.Net;
using System.Net.Sockets;
using Tunnel.App.Diagnostics;
using Tunnel.App.Diagnostics.Metering;
using Tunnel.Tests.Services;

namespace Tunnel.Tests.Diagnostics;

/// <summary>A client and a server in this process, and an echo behind them.</summary>
internal sealed class MeasuredPair : IAsyncDisposable
{
    private readonly TcpListener _echo;

    private MeasuredPair(TunnelPair tunnel, TcpListener echo) => (Tunnel, _echo) = (tunnel, echo);

    public TunnelPair Tunnel { get; }

    public static async Task<MeasuredPair> StartAsync()
    {
        var echo = new TcpListener(IPAddress.Loopback, 0);
        echo.Start();
        int port = ((IPEndPoint)echo.LocalEndpoint).Port;
        TunnelPair tunnel = await TunnelPair.StartAsync($"[[forward]]\nlisten='127.0.0.1:0'\ntarget='127.0.0.1:{port}'\n");
        var pair = new MeasuredPair(tunnel, echo);
        _ = pair.EchoAsync();
        return pair;
    }

    /// <summary>Sends bytes there and back through the tunnel.</summary>
    public async Task ExchangeAsync(int bytes)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(Tunnel.Listener);
        Task sending = Task.Run(async () =>
        {
            for (int sent = 0; sent < bytes;)
                sent += await socket.SendAsync(new byte[Math.Min(8192, bytes - sent)]);
            socket.Shutdown(SocketShutdown.Send);
        });
        byte[] buffer = new byte[8192];
        int received = 0;
        for (int count = -1; count != 0; received += count)
            count = await socket.ReceiveAsync(buffer);
        await sending;
        Assert.Equal(bytes, received);
    }

    public PrometheusParser Client() => MetricsOf(Tunnel.Client);

    public PrometheusParser Server() => MetricsOf(Tunnel.Server);

    public static PrometheusParser MetricsOf(ITunnelEnd end) => PrometheusParser.Parse(PrometheusText.Render(Reading.Take(end), "1"));

    public async ValueTask DisposeAsync()
    {
        await Tunnel.DisposeAsync();
        _echo.Stop();
    }

    private async Task EchoAsync()
    {
        try
        {
            while (true)
                _ = EchoAsync(await _echo.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task EchoAsync(Socket socket)
    {
        using Socket owned = socket;
        byte[] buffer = new byte[8192];
        for (int count = await owned.ReceiveAsync(buffer); count != 0; count = await owned.ReceiveAsync(buffer))
        {
            for (int sent = 0; sent < count;)
                sent += await owned.SendAsync(buffer.AsMemory(sent, count - sent));
        }

        owned.Shutdown(SocketShutdown.Send);
    }
}
