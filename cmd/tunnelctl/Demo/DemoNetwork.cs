namespace Tunnel.Ctl.Demo;

/// <summary>Where the demo's two ends live: two namespaces joined by a cable, or this host's loopback.</summary>
internal sealed class DemoNetwork : IAsyncDisposable
{
    private DemoNetwork(string? client, string? server, string serverAddress)
    {
        Client = client;
        Server = server;
        ServerAddress = serverAddress;
    }

    /// <summary>The client's namespace; null on loopback.</summary>
    public string? Client { get; }

    /// <summary>The server's namespace; null on loopback.</summary>
    public string? Server { get; }

    public string ServerAddress { get; }

    public bool IsRaw => Client is not null;

    public static DemoNetwork Loopback() => new(null, null, "127.0.0.1");

    /// <summary>Makes the namespaces and the cable; removed again by Dispose, also after a failure.</summary>
    public static async Task<DemoNetwork> CreateAsync(CancellationToken cancel)
    {
        string id = $"{Environment.ProcessId % 100000}";
        var network = new DemoNetwork($"tunnel-demo-c{id}", $"tunnel-demo-s{id}", "10.79.0.2");
        try
        {
            await IpAsync(cancel, "netns", "add", network.Client!).ConfigureAwait(false);
            await IpAsync(cancel, "netns", "add", network.Server!).ConfigureAwait(false);
            string[] cable = ["link", "add", "tunnel0", "netns", network.Client!, "type", "veth", "peer", "name", "tunnel0", "netns", network.Server!];
            await IpAsync(cancel, cable).ConfigureAwait(false);
            await RaiseAsync(network.Client!, "10.79.0.1/24", cancel).ConfigureAwait(false);
            await RaiseAsync(network.Server!, "10.79.0.2/24", cancel).ConfigureAwait(false);
            return network;
        }
        catch
        {
            await network.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string? name in new[] { Client, Server })
        {
            if (name is not null && File.Exists($"/run/netns/{name}"))
                await IpAsync(CancellationToken.None, "netns", "del", name).ConfigureAwait(false);
        }
    }

    private static async Task RaiseAsync(string netns, string address, CancellationToken cancel)
    {
        await IpAsync(cancel, "-n", netns, "addr", "add", address, "dev", "tunnel0").ConfigureAwait(false);
        await IpAsync(cancel, "-n", netns, "link", "set", "lo", "up").ConfigureAwait(false);
        await IpAsync(cancel, "-n", netns, "link", "set", "tunnel0", "up").ConfigureAwait(false);
    }

    private static Task<string> IpAsync(CancellationToken cancel, params string[] arguments) =>
        DemoProcess.RunAsync(null, cancel, ["ip", .. arguments]);
}
