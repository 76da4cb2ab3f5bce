using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tunnel.App.Config;
using Tunnel.App.Hosting;
using Tunnel.App.Services;
using Tunnel.Tests.Config;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Services;

/// <summary>A client and a server in this process, over UDP on loopback.</summary>
internal sealed class TunnelPair : IAsyncDisposable
{
    private const string Common = "[network]\nlink='udp'\n[transport]\ngrace='0s'\n[transport.kcp]\nkey='k'\n";

    private readonly int _port;
    private Task? _clientStop;
    private Task? _serverStop;

    private TunnelPair(ClientHost client, ServerHost server, int port) => (Client, Server, _port) = (client, server, port);

    public ClientHost Client { get; }

    public ServerHost Server { get; }

    /// <summary>The only listener, or the first.</summary>
    public IPEndPoint Listener => Client.Listeners[0].LocalEndPoint;

    /// <param name="listeners">TOML of the client.</param>
    /// <param name="header">The client's way to write stream headers.</param>
    /// <param name="frameUdp">Whether datagrams go behind their lengths.</param>
    /// <param name="limits">Bounds, at both ends; null: those of the files.</param>
    /// <param name="server">TOML of the server.</param>
    /// <param name="log">Where the client's lines go.</param>
    /// <param name="conn">Sessions of the client.</param>
    /// <param name="kcp">TOML of the client's [transport.kcp].</param>
    public static async Task<TunnelPair> StartAsync(
        string listeners,
        string header = "v1",
        bool frameUdp = true,
        UdpLimits? limits = null,
        string server = "",
        LogLines? log = null,
        int conn = 1,
        string kcp = "")
    {
        int port = FreePort();
        ServerConfig config = ConfigText.ValidServer($"[listen]\nport={port}\n[network.ipv4]\naddress='127.0.0.1'\n{server}{Common}");
        var serverHost = new ServerHost(config, NullLoggerFactory.Instance, new Lifetime()) { UdpLimits = limits };
        await serverHost.StartAsync(CancellationToken.None);
        ClientHost client = await StartClientAsync(port, listeners, header, frameUdp, limits, log, conn, kcp);
        return new TunnelPair(client, serverHost, port);
    }

    /// <summary>Another client of the same server; the caller stops it.</summary>
    public Task<ClientHost> StartAnotherClientAsync(string listeners, LogLines? log = null) =>
        StartClientAsync(_port, listeners, "v1", frameUdp: true, limits: null, log, conn: 1);

    /// <summary>The client's file has other listeners now.</summary>
    public void Reload(string listeners) => Client.Apply(ConfigText.ValidClient($"[server]\naddress='127.0.0.1:{_port}'\n{listeners}{Common}"));

    /// <summary>Stops the client before the end of the test.</summary>
    public Task StopClientAsync() => _clientStop ??= Client.StopAsync(CancellationToken.None);

    /// <summary>Stops the server before the end of the test.</summary>
    public Task StopServerAsync() => _serverStop ??= Server.StopAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await StopClientAsync();
        await StopServerAsync();
        Client.Dispose();
        Server.Dispose();
    }

    private static async Task<ClientHost> StartClientAsync(
        int port, string listeners, string header, bool frameUdp, UdpLimits? limits, LogLines? log, int conn, string kcp = "")
    {
        string settings = Common.Replace("grace", $"header='{header}'\nconn={conn}\ngrace") + kcp;
        ClientConfig config = ConfigText.ValidClient($"[server]\naddress='127.0.0.1:{port}'\n{listeners}{settings}");
        ILoggerFactory loggers = log ?? (ILoggerFactory)NullLoggerFactory.Instance;
        var client = new ClientHost(config, loggers, new Lifetime()) { FrameUdp = frameUdp, UdpLimits = limits };
        await client.StartAsync(CancellationToken.None);
        return client;
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
