using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Contenders;

/// <summary>TLS over kernel TCP with a shared key: what somebody picks whose network lets TCP pass.</summary>
internal sealed class Stunnel() : Contender("stunnel")
{
    private const int TunnelPort = 9997;
    private const int LocalPort = 7002;
    private const string Key = "bench:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    public override ContenderKind Kind => ContenderKind.Other;

    public override string? Lacks => Missing("stunnel4");

    public override async Task<RunningContender> StartAsync(ContenderSetup setup, CancellationToken cancel)
    {
        (LabNetwork network, int port, _, string folder) = setup;
        string secrets = Path.Combine(folder, "psk");
        await File.WriteAllTextAsync(secrets, Key + "\n", cancel).ConfigureAwait(false);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(secrets, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        string head = $"foreground = yes\npid =\nsyslog = no\n[bench]\nciphers = PSK\nPSKsecrets = {secrets}\n";
        string server = Path.Combine(folder, "server.conf"), client = Path.Combine(folder, "client.conf");
        await File.WriteAllTextAsync(server, $"{head}accept = {TunnelPort}\nconnect = 127.0.0.1:{port}\n", cancel).ConfigureAwait(false);
        await File.WriteAllTextAsync(
            client, $"{head}client = yes\naccept = 127.0.0.1:{LocalPort}\nconnect = {network.ServerAddress}:{TunnelPort}\n", cancel)
            .ConfigureAwait(false);
        LabProcess serving = LabProcess.Start(network.Server, "stunnel4", server);
        LabProcess asking = LabProcess.Start(network.Client, "stunnel4", client);
        var running = new RunningContender($"127.0.0.1:{LocalPort}", asking, serving);
        const string Ready = "Configuration successful";
        return await WhenReadyAsync(running, [(serving, Ready), (asking, Ready)], cancel).ConfigureAwait(false);
    }
}
