using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Harness;

/// <summary>A tunnel between two hosts with a router between them, and an HTTP target behind the server.</summary>
internal sealed class RoutedPair
{
    private RoutedPair(RoutedHosts hosts) => Hosts = hosts;

    public RoutedHosts Hosts { get; }

    public required TunnelProcess Server { get; init; }

    public required TunnelProcess Client { get; init; }

    /// <summary>curl on the client's host, through the client.</summary>
    public required Curl Curl { get; init; }

    /// <param name="test">Owns everything.</param>
    /// <param name="hosts">From <see cref="PrepareAsync"/>, with the router as it shall be.</param>
    /// <param name="serverAddress">As in a file.</param>
    /// <param name="change">What both ends' files say besides.</param>
    public static async Task<RoutedPair> StartAsync(
        EndToEndTest test, RoutedHosts hosts, string serverAddress, Action<TunnelSettings> change)
    {
        TunnelSettings serverSettings = TunnelSettings.PcapServer();
        TunnelSettings clientSettings = TunnelSettings.PcapClient(serverAddress).WithSocks5();
        change(serverSettings);
        change(clientSettings);
        TunnelProcess server = await test.StartServerAsync(serverSettings, hosts.Server);
        TunnelProcess client = await test.StartClientAsync(clientSettings, hosts.Client);
        await client.ConnectedAsync();
        var curl = new Curl(hosts.Client, await client.Socks5PortAsync());
        return new RoutedPair(hosts) { Server = server, Client = client, Curl = curl };
    }

    /// <summary>The hosts with the target, and no tunnel yet.</summary>
    public static async Task<RoutedHosts> PrepareAsync(EndToEndTest test)
    {
        Requires.Namespaces();
        Requires.Tool("curl");
        RoutedHosts hosts = test.Own(await RoutedHosts.CreateAsync());
        ChildProcess target = test.StartProcess(
            hosts.Server, Environment.ProcessPath!, [.. PcapPair.SelfArguments(), "serve-http", $"{PcapPair.TargetPort}"]);
        await target.LineAsync(HttpTargetProgram.ReadyLine);
        return hosts;
    }

    /// <summary>Both directions, each with its own bytes.</summary>
    public async Task TransferAsync(string uploadFile, int length)
    {
        await Curl.DownloadAsync(PcapPair.Target, length);
        Payload.WriteFile(uploadFile, seed: 2, length);
        Assert.Equal(Payload.Hash(2, length), await Curl.UploadAsync(PcapPair.Target, uploadFile));
    }
}
