namespace Tunnel.EndToEnd.Harness;

/// <summary>A tunnel over ordinary UDP on loopback: no privilege, no namespaces.</summary>
internal sealed record UdpPair(TunnelProcess Server, TunnelProcess Client)
{
    public static async Task<UdpPair> StartAsync(
        EndToEndTest test, int port, Action<TunnelSettings>? changeServer = null, Action<TunnelSettings>? changeClient = null)
    {
        TunnelSettings serverSettings = TunnelSettings.UdpServer(port);
        changeServer?.Invoke(serverSettings);
        TunnelSettings clientSettings = TunnelSettings.UdpClient(port).WithSocks5();
        changeClient?.Invoke(clientSettings);
        TunnelProcess server = await test.StartServerAsync(serverSettings);
        TunnelProcess client = await test.StartClientAsync(clientSettings);
        await client.ConnectedAsync();
        return new UdpPair(server, client);
    }
}
