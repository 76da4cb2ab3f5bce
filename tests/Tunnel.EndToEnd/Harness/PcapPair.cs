using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Harness;

/// <summary>Two hosts with a cable between them, a tunnel over it, and an HTTP target behind the server.</summary>
internal sealed class PcapPair
{
    public const int TargetPort = 8000;

    /// <summary>The target as the server sees it.</summary>
    public static readonly string Target = $"127.0.0.1:{TargetPort}";

    private PcapPair(Namespaces hosts) => Hosts = hosts;

    public Namespaces Hosts { get; }

    public required TunnelProcess Server { get; init; }

    public required TunnelProcess Client { get; init; }

    /// <summary>curl on the client's host, through the client.</summary>
    public required Curl Curl { get; init; }

    public static async Task<PcapPair> StartAsync(
        EndToEndTest test, string serverAddress, Action<TunnelSettings>? changeServer = null, Action<TunnelSettings>? changeClient = null)
    {
        Namespaces hosts = await PrepareAsync(test);
        TunnelSettings serverSettings = TunnelSettings.PcapServer();
        changeServer?.Invoke(serverSettings);
        TunnelSettings clientSettings = TunnelSettings.PcapClient(serverAddress).WithSocks5();
        changeClient?.Invoke(clientSettings);
        TunnelProcess server = await test.StartServerAsync(serverSettings, hosts.Server);
        TunnelProcess client = await test.StartClientAsync(clientSettings, hosts.Client);
        await client.ConnectedAsync();
        var curl = new Curl(hosts.Client, await client.Socks5PortAsync());
        return new PcapPair(hosts) { Server = server, Client = client, Curl = curl };
    }

    /// <summary>The two hosts with the target, and no tunnel yet.</summary>
    public static async Task<Namespaces> PrepareAsync(EndToEndTest test, bool addresses = true)
    {
        Requires.Tool("curl");
        Namespaces hosts = await test.CreateNamespacesAsync(addresses);
        await StartTargetAsync(test, hosts.Server);
        return hosts;
    }

    /// <summary>The target, on a host.</summary>
    public static async Task StartTargetAsync(EndToEndTest test, string host)
    {
        ChildProcess target = StartSelf(test, host, "serve-http", $"{TargetPort}");
        await target.LineAsync(HttpTargetProgram.ReadyLine);
    }

    /// <summary>This program, in one of its other roles, on a host.</summary>
    public static ChildProcess StartSelf(EndToEndTest test, string host, params string[] arguments) =>
        test.StartProcess(host, Environment.ProcessPath!, [.. SelfArguments(), .. arguments]);

    // Under "dotnet x.dll" the process is dotnet, and needs to be told the file.
    private static string[] SelfArguments() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(PcapPair).Assembly.Location] : [];
}
