using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Contenders;

/// <summary>kcptun as distributions package it, in its best setting for a cable.</summary>
/// <param name="overTcp">With --tcp: crafted segments as ours; otherwise UDP.</param>
internal sealed class Kcptun(bool overTcp) : Contender(overTcp ? "kcptun --tcp" : "kcptun")
{
    private const int TunnelPort = 9998;
    private const int LocalPort = 7001;

    private static readonly string[] Options =
    [
        "--key", "bench", "--crypt", "aes-128", "--mode", "fast3", "--mtu", "1350", "--sndwnd", "2048", "--rcvwnd", "2048",
        "--datashard", "0", "--parityshard", "0", "--nocomp", "--sockbuf", "16777216", "--smuxver", "2", "--smuxbuf", "33554432",
        "--streambuf", "8388608", "--quiet",
    ];

    public override ContenderKind Kind => ContenderKind.Peer;

    public override string? Lacks => Missing("kcptun-client", "kcptun-server");

    public override bool CountsSessions => true;

    public override Task<RunningContender> StartAsync(ContenderSetup setup, CancellationToken cancel)
    {
        string[] tcp = overTcp ? ["--tcp"] : [];
        LabProcess server = LabProcess.Start(
            setup.Network.Server, ["kcptun-server", "--listen", $":{TunnelPort}", "--target", $"127.0.0.1:{setup.Port}", .. Options, .. tcp]);
        LabProcess client = LabProcess.Start(
            setup.Network.Client,
            [
                "kcptun-client", "--localaddr", $"127.0.0.1:{LocalPort}", "--remoteaddr", $"{setup.Network.ServerAddress}:{TunnelPort}",
                "--conn", $"{setup.Sessions ?? 1}", .. Options, .. tcp,
            ]);
        var running = new RunningContender($"127.0.0.1:{LocalPort}", client, server);
        return WhenReadyAsync(running, [(server, "listening on"), (client, "listening on")], cancel);
    }
}
