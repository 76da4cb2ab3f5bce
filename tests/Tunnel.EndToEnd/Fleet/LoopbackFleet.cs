using System.Diagnostics;
using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Fleet;

/// <summary>
/// Several servers on loopback behind one client. Each denies a port of its own, so that the proxy's answer about a target there tells
/// which server was asked, and nothing has to be sent.
/// </summary>
internal sealed class LoopbackFleet
{
    /// <summary>Nobody listens there; the servers deny the ports from here on, each one.</summary>
    private const int FirstMark = 2;

    private const byte NotAllowed = 2;

    private readonly EndToEndTest _test;
    private readonly List<TunnelProcess> _servers = [];
    private readonly int[] _ports;
    private int _proxy;

    private LoopbackFleet(EndToEndTest test, int[] ports) => (_test, _ports) = (test, ports);

    public IReadOnlyList<TunnelProcess> Servers => _servers;

    public TunnelProcess Client { get; private set; } = null!;

    public int Proxy => _proxy;

    /// <param name="test">Owns the processes.</param>
    /// <param name="ports">The servers'.</param>
    /// <param name="conn">Connections to each.</param>
    /// <param name="keys">Lines of each server's table in the client's file.</param>
    public static async Task<LoopbackFleet> StartAsync(EndToEndTest test, int[] ports, int conn, Func<int, string[]> keys)
    {
        var fleet = new LoopbackFleet(test, ports);
        TunnelSettings settings = TunnelSettings.UdpClient(0).WithSocks5().With("transport.conn", conn);
        for (int i = 0; i < ports.Length; i++)
        {
            fleet._servers.Add(await test.StartServerAsync(fleet.SettingsOf(i)));
            settings.WithServer($"127.0.0.1:{ports[i]}", keys(i));
        }

        fleet.Client = await test.StartClientAsync(settings);
        await fleet.Client.ConnectedAsync(times: ports.Length * conn);
        fleet._proxy = await fleet.Client.Socks5PortAsync();
        return fleet;
    }

    /// <summary>How many of so many new streams went to the first server.</summary>
    public async Task<int> CountFirstAsync(int opens)
    {
        int count = 0;
        for (int i = 0; i < opens; i++)
            count += await TryMarkAsync(0) ? 1 : 0;
        return count;
    }

    /// <summary>How long the slowest of so many new streams took, at the same time.</summary>
    public async Task<TimeSpan> OpenManyAsync(int count)
    {
        TimeSpan[] times = await Task.WhenAll(Enumerable.Range(0, count).Select(async _ =>
        {
            var clock = Stopwatch.StartNew();
            await TryMarkAsync(0);
            return clock.Elapsed;
        }));
        return times.Max();
    }

    public Task KillAsync(int index) => _servers[index].KillAsync();

    public async Task RestartAsync(int index) => _servers[index] = await _test.StartServerAsync(SettingsOf(index));

    private TunnelSettings SettingsOf(int index) =>
        TunnelSettings.UdpServer(_ports[index]).With("targets.deny", TunnelSettings.List($"*:{FirstMark + index}"));

    private async Task<bool> TryMarkAsync(int index)
    {
        (Socket socket, byte reply) = await SocksClient.TryConnectAsync(_proxy, "127.0.0.1", FirstMark + index);
        socket.Dispose();
        Assert.True(reply is NotAllowed or SocksClient.ConnectionRefused, $"the proxy answers {reply}");
        return reply == NotAllowed;
    }
}
