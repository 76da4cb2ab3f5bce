using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Tunnel.App.Config;
using Tunnel.App.Hosting;
using Tunnel.App.Services;
using Tunnel.Tests.Config;

namespace Tunnel.Tests.Services;

/// <summary>A client and a server in this process, over UDP on loopback.</summary>
internal sealed class TunnelPair : IAsyncDisposable
{
    private TunnelPair(ClientHost client, ServerHost server) => (Client, Server) = (client, server);

    public ClientHost Client { get; }

    public ServerHost Server { get; }

    /// <summary>The only listener, or the first.</summary>
    public IPEndPoint Listener => Client.Listeners[0].LocalEndPoint;

    /// <param name="listeners">TOML of the client.</param>
    /// <param name="header">The client's way to write stream headers.</param>
    /// <param name="frameUdp">Whether datagrams go behind their lengths.</param>
    /// <param name="limits">Bounds, at both ends.</param>
    public static async Task<TunnelPair> StartAsync(
        string listeners, string header = "v1", bool frameUdp = true, UdpLimits? limits = null)
    {
        int port = FreePort();
        const string Common = "[network]\nlink='udp'\n[transport]\ngrace='0s'\n[transport.kcp]\nkey='k'\n";
        ServerConfig serverConfig = ConfigText.ValidServer($"[listen]\nport={port}\n[network.ipv4]\naddress='127.0.0.1'\n{Common}");
        string clientText = $"[server]\naddress='127.0.0.1:{port}'\n{listeners}{Common.Replace("grace", $"header='{header}'\ngrace")}";
        ClientConfig clientConfig = ConfigText.ValidClient(clientText);
        limits ??= new UdpLimits();
        var server = new ServerHost(serverConfig, NullLoggerFactory.Instance, new Lifetime()) { UdpLimits = limits };
        var client = new ClientHost(clientConfig, NullLoggerFactory.Instance, new Lifetime()) { FrameUdp = frameUdp, UdpLimits = limits };
        await server.StartAsync(CancellationToken.None);
        await client.StartAsync(CancellationToken.None);
        return new TunnelPair(client, server);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.StopAsync(CancellationToken.None);
        await Server.StopAsync(CancellationToken.None);
        Client.Dispose();
        Server.Dispose();
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => throw new InvalidOperationException("the host gave up");
    }
}
