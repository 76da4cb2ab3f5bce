using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Contenders;

/// <summary>
/// A paqet binary that the caller has. Its YAML wants interface, addresses and the other end's MAC; its kernel RSTs are dropped by rules
/// in the two namespaces, which end with them.
/// </summary>
/// <param name="path">The binary.</param>
internal sealed class Paqet(string path) : Contender("paqet")
{
    private const int TunnelPort = 9996;
    private const int LocalPort = 7003;
    private const int ClientPort = 9995;

    public override ContenderKind Kind => ContenderKind.Peer;

    public override string? Lacks => File.Exists(path) ? Missing("iptables") : $"no such file: {path}";

    public override async Task<RunningContender> StartAsync(ContenderSetup setup, CancellationToken cancel)
    {
        (LabNetwork network, int port, _, string folder) = setup;
        await SilenceKernelAsync(network.Server!, TunnelPort, cancel).ConfigureAwait(false);
        await SilenceKernelAsync(network.Client!, ClientPort, cancel).ConfigureAwait(false);
        string server = Path.Combine(folder, "server.yaml"), client = Path.Combine(folder, "client.yaml");
        string clientMac = await MacAsync(network.Client!, cancel).ConfigureAwait(false);
        string serverMac = await MacAsync(network.Server!, cancel).ConfigureAwait(false);
        await File.WriteAllTextAsync(
            server,
            $"role: server\nlisten:\n  addr: \":{TunnelPort}\"\n{NetworkPart(network.ServerAddress, TunnelPort, clientMac)}{Transport}",
            cancel).ConfigureAwait(false);
        await File.WriteAllTextAsync(
            client,
            $"role: client\nforward:\n  - listen: \"127.0.0.1:{LocalPort}\"\n    target: \"127.0.0.1:{port}\"\n    protocol: tcp\n"
            + $"server:\n  addr: \"{network.ServerAddress}:{TunnelPort}\"\n{NetworkPart(LabNetwork.ClientAddress, ClientPort, serverMac)}{Transport}",
            cancel).ConfigureAwait(false);
        LabProcess serving = LabProcess.Start(network.Server, path, "run", "-c", server);
        LabProcess asking = LabProcess.Start(network.Client, path, "run", "-c", client);
        return new RunningContender($"127.0.0.1:{LocalPort}", asking, serving);
    }

    private const string Transport =
        "transport:\n  protocol: kcp\n  conn: 1\n  kcp:\n    mode: fast3\n    mtu: 1350\n    rcvwnd: 2048\n    sndwnd: 2048\n    block: aes-128-gcm\n    key: bench\n";

    private static string NetworkPart(string address, int port, string peerMac) =>
        $"network:\n  interface: {LabNetwork.Interface}\n  ipv4:\n    addr: \"{address}:{port}\"\n    router_mac: \"{peerMac}\"\n";

    private static async Task SilenceKernelAsync(string netns, int port, CancellationToken cancel)
    {
        string p = $"{port}";
        string[][] rules =
        [
            ["-t", "raw", "-A", "PREROUTING", "-p", "tcp", "--dport", p, "-j", "NOTRACK"],
            ["-t", "raw", "-A", "OUTPUT", "-p", "tcp", "--sport", p, "-j", "NOTRACK"],
            ["-t", "mangle", "-A", "OUTPUT", "-p", "tcp", "--sport", p, "--tcp-flags", "RST", "RST", "-j", "DROP"],
        ];
        foreach (string[] rule in rules)
            await LabProcess.RunAsync(netns, cancel, ["iptables", .. rule]).ConfigureAwait(false);
    }

    private static async Task<string> MacAsync(string netns, CancellationToken cancel) =>
        (await LabProcess.RunAsync(netns, cancel, "cat", $"/sys/class/net/{LabNetwork.Interface}/address").ConfigureAwait(false)).Trim();
}
