namespace Tunnel.Ctl.Lab;

/// <summary>Where a trial's two ends live: two namespaces joined by a cable, or this host's loopback.</summary>
internal sealed class LabNetwork : IAsyncDisposable
{
    /// <summary>The cable's name at both ends.</summary>
    public const string Interface = "tunnel0";

    /// <summary>The client's address on the cable.</summary>
    public const string ClientAddress = "10.79.0.1";

    private LabNetwork(string? client, string? server, string serverAddress)
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

    public static LabNetwork Loopback() => new(null, null, "127.0.0.1");

    /// <summary>Makes the namespaces and the cable; removed again by Dispose, also after a failure.</summary>
    /// <param name="purpose">Part of the namespaces' names, so that what a crash left behind can be told.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<LabNetwork> CreateAsync(string purpose, CancellationToken cancel)
    {
        string id = $"{Environment.ProcessId % 100000}";
        var network = new LabNetwork($"tunnel-{purpose}-c{id}", $"tunnel-{purpose}-s{id}", "10.79.0.2");
        try
        {
            await IpAsync(cancel, "netns", "add", network.Client!).ConfigureAwait(false);
            await IpAsync(cancel, "netns", "add", network.Server!).ConfigureAwait(false);
            string[] cable = ["link", "add", Interface, "netns", network.Client!, "type", "veth", "peer", "name", Interface, "netns", network.Server!];
            await IpAsync(cancel, cable).ConfigureAwait(false);
            await RaiseAsync(network.Client!, ClientAddress + "/24", cancel).ConfigureAwait(false);
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
        await IpAsync(cancel, "-n", netns, "addr", "add", address, "dev", Interface).ConfigureAwait(false);
        await IpAsync(cancel, "-n", netns, "link", "set", "lo", "up").ConfigureAwait(false);
        await IpAsync(cancel, "-n", netns, "link", "set", Interface, "up").ConfigureAwait(false);
    }

    private static Task<string> IpAsync(CancellationToken cancel, params string[] arguments) =>
        LabProcess.RunAsync(null, cancel, ["ip", .. arguments]);
}
