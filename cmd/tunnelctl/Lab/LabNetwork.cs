namespace Tunnel.Ctl.Lab;

/// <summary>Where a trial's two ends live: two namespaces joined by a cable, or this host's loopback.</summary>
internal sealed class LabNetwork : IAsyncDisposable
{
    /// <summary>The cable's name at both ends.</summary>
    public const string Interface = "tunnel0";

    /// <summary>The client's address on the cable.</summary>
    public const string ClientAddress = "10.79.0.1";

    /// <summary>The two interfaces in <see cref="Middle"/>, as `emulate --between` wants them.</summary>
    public const string MiddleInterfaces = MiddleToClient + "," + MiddleToServer;

    private const string MiddleToClient = "toclient";
    private const string MiddleToServer = "toserver";

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

    /// <summary>Where the cable is cut in two, for an emulator to join; null: one cable.</summary>
    public string? Middle { get; private init; }

    public bool IsRaw => Client is not null;

    public static LabNetwork Loopback() => new(null, null, "127.0.0.1");

    /// <summary>Makes the namespaces and the cable; removed again by Dispose, also after a failure.</summary>
    /// <param name="purpose">Part of the namespaces' names, so that what a crash left behind can be told.</param>
    /// <param name="cancel">Gives up.</param>
    /// <param name="cut">The cable ends in a third namespace from both sides: nothing passes until something joins the two there.</param>
    public static async Task<LabNetwork> CreateAsync(string purpose, CancellationToken cancel, bool cut = false)
    {
        string id = $"{Environment.ProcessId % 100000}";
        var network = new LabNetwork($"tunnel-{purpose}-c{id}", $"tunnel-{purpose}-s{id}", "10.79.0.2") { Middle = cut ? $"tunnel-{purpose}-m{id}" : null };
        try
        {
            await IpAsync(cancel, "netns", "add", network.Client!).ConfigureAwait(false);
            await IpAsync(cancel, "netns", "add", network.Server!).ConfigureAwait(false);
            await network.LayAsync(cancel).ConfigureAwait(false);
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
        foreach (string? name in new[] { Client, Server, Middle })
        {
            if (name is not null && File.Exists($"/run/netns/{name}"))
                await IpAsync(CancellationToken.None, "netns", "del", name).ConfigureAwait(false);
        }
    }

    private async Task LayAsync(CancellationToken cancel)
    {
        if (Middle is null)
        {
            await CableAsync(Client!, Interface, Server!, Interface, cancel).ConfigureAwait(false);
            return;
        }

        await IpAsync(cancel, "netns", "add", Middle).ConfigureAwait(false);
        await CableAsync(Client!, Interface, Middle, MiddleToClient, cancel).ConfigureAwait(false);
        await CableAsync(Server!, Interface, Middle, MiddleToServer, cancel).ConfigureAwait(false);
        await IpAsync(cancel, "-n", Middle, "link", "set", MiddleToClient, "up").ConfigureAwait(false);
        await IpAsync(cancel, "-n", Middle, "link", "set", MiddleToServer, "up").ConfigureAwait(false);
    }

    private static Task<string> CableAsync(string netns, string name, string toNetns, string toName, CancellationToken cancel) => IpAsync(
        cancel, "link", "add", name, "netns", netns, "type", "veth", "peer", "name", toName, "netns", toNetns);

    private static async Task RaiseAsync(string netns, string address, CancellationToken cancel)
    {
        await IpAsync(cancel, "-n", netns, "addr", "add", address, "dev", Interface).ConfigureAwait(false);
        await IpAsync(cancel, "-n", netns, "link", "set", "lo", "up").ConfigureAwait(false);
        await IpAsync(cancel, "-n", netns, "link", "set", Interface, "up").ConfigureAwait(false);
    }

    private static Task<string> IpAsync(CancellationToken cancel, params string[] arguments) =>
        LabProcess.RunAsync(null, cancel, ["ip", .. arguments]);
}
