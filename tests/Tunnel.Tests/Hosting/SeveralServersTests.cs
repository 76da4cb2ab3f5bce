using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Tunnel.App.Config;
using Tunnel.App.Hosting;
using Tunnel.App.Runtime.Pool;
using Tunnel.App.Runtime.Resolving;
using Tunnel.Tests.Config;
using Tunnel.Tests.Runtime.Pool;
using Tunnel.Tests.Runtime.Resolving;

namespace Tunnel.Tests.Hosting;

/// <summary>A client host among servers that a name server knows, over UDP on loopback.</summary>
public sealed class SeveralServersTests : IAsyncDisposable
{
    private const int Limit = 120_000;
    private const string Rest = "[network]\nlink='udp'\n[network.ipv4]\naddress='127.0.0.1'\n[transport]\ngrace='0s'\n[transport.kcp]\nkey='k'\n";
    private const string Listener = "[[forward]]\nlisten='127.0.0.1:0'\ntarget='127.0.0.1:1'\n";

    private readonly List<BackgroundService> _hosts = [];

    [Fact(Timeout = Limit)]
    public async Task RecordsLeadToServers()
    {
        int first = await StartServerAsync(), second = await StartServerAsync();
        // A name server may call a host by its address.
        using var names = new FakeNameServer(query =>
            [FakeNameServer.Answer(query, FakeNameServer.Srv("127.0.0.1", first, 0, 1), FakeNameServer.Srv("127.0.0.1", second, 1, 1))]);
        ClientHost client = await StartClientAsync("srv='_tunnel._udp.example.net'", names);
        await PoolWorld.Eventually(() => Up(client).Length == 2);
        Assert.Equal([$"127.0.0.1:{first}", $"127.0.0.1:{second}"], Up(client).OrderBy(s => s.Priority).Select(s => s.Address));
        Assert.All(Up(client), s => Assert.EndsWith("(_tunnel._udp.example.net)", s.Server));
    }

    [Fact(Timeout = Limit)]
    public async Task ServersAreChangedWhileItRuns()
    {
        int first = await StartServerAsync(), second = await StartServerAsync();
        using var names = new FakeNameServer(_ => []);
        ClientHost client = await StartClientAsync($"address='127.0.0.1:{first}'", names);
        await PoolWorld.Eventually(() => Up(client).Length == 1);
        client.Apply(ConfigText.ValidClient($"[server]\naddress='127.0.0.1:{second}'\n{Listener}{Rest}"));
        await PoolWorld.Eventually(() => Up(client) is [{ } only] && only.Address == $"127.0.0.1:{second}");
        await PoolWorld.Eventually(() => client.GetConnectionStatus().Count == 1);
        Assert.Equal(0, names.Questions);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (BackgroundService host in Enumerable.Reverse(_hosts))
        {
            await host.StopAsync(CancellationToken.None);
            host.Dispose();
        }
    }

    private static ConnectionStatus[] Up(ClientHost client) => [.. client.GetConnectionStatus().Where(s => s.State == ConnectionState.Up)];

    private async Task<ClientHost> StartClientAsync(string server, FakeNameServer names)
    {
        ClientConfig config = ConfigText.ValidClient($"[server]\n{server}\n{Listener}{Rest}");
        var dns = new DnsClient(() => [names.EndPoint], TimeSpan.FromSeconds(5));
        var host = new ClientHost(config, NullLoggerFactory.Instance, new Lifetime()) { Dns = dns };
        _hosts.Add(host);
        await host.StartAsync(CancellationToken.None);
        return host;
    }

    private async Task<int> StartServerAsync()
    {
        int port = FreePort();
        var host = new ServerHost(ConfigText.ValidServer($"[listen]\nport={port}\n{Rest}"), NullLoggerFactory.Instance, new Lifetime());
        _hosts.Add(host);
        await host.StartAsync(CancellationToken.None);
        return port;
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
