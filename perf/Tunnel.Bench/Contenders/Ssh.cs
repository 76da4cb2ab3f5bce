using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Contenders;

/// <summary>A forwarded port of ssh, aes128-gcm: an sshd of our own in the server's namespace, with keys that live as long as the lap.</summary>
internal sealed class Ssh() : Contender("ssh -L")
{
    private const int TunnelPort = 9993;
    private const int LocalPort = 7004;

    /// <summary>Where sshd locks its children in before they are known; the package's service makes it, and the service does not run here.</summary>
    private const string Empty = "/run/sshd";

    public override ContenderKind Kind => ContenderKind.Other;

    public override string? Lacks => Missing("ssh", "sshd", "ssh-keygen");

    public override async Task<RunningContender> StartAsync(ContenderSetup setup, CancellationToken cancel)
    {
        string host = Path.Combine(setup.Folder, "host"), user = Path.Combine(setup.Folder, "user");
        foreach (string key in new[] { host, user })
            await LabProcess.RunAsync(null, cancel, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).ConfigureAwait(false);
        Directory.CreateDirectory(Empty);
        LabNetwork network = setup.Network;
        LabProcess serving = LabProcess.Start(
            network.Server,
            [
                Locate("sshd")!, "-D", "-e", "-f", "/dev/null", "-h", host, "-p", $"{TunnelPort}",
                .. Settings(
                    $"ListenAddress={network.ServerAddress}", $"AuthorizedKeysFile={user}.pub", "StrictModes=no", "UsePAM=no", "PidFile=none",
                    "PermitRootLogin=prohibit-password", "PasswordAuthentication=no"),
            ]);
        await WhenReadyAsync(new RunningContender("", serving), [(serving, "Server listening")], cancel).ConfigureAwait(false);
        LabProcess asking = LabProcess.Start(
            network.Client,
            [
                "ssh", "-F", "none", "-N", "-v", "-i", user, "-p", $"{TunnelPort}", "-c", "aes128-gcm@openssh.com",
                .. Settings("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes", "IdentitiesOnly=yes"),
                "-L", $"127.0.0.1:{LocalPort}:127.0.0.1:{setup.Port}", $"root@{network.ServerAddress}",
            ]);
        var running = new RunningContender($"127.0.0.1:{LocalPort}", asking, serving);
        return await WhenReadyAsync(running, [(asking, "Entering interactive session")], cancel).ConfigureAwait(false);
    }

    private static IEnumerable<string> Settings(params string[] settings) => settings.SelectMany(s => new[] { "-o", s });
}
