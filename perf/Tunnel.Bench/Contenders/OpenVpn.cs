using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Contenders;

/// <summary>
/// A tun device at each end and UDP between them, AES-128-GCM: point to point, each end knowing the other's certificate. The load goes to
/// the far device's address, so the streams are the kernel's TCP.
/// </summary>
internal sealed class OpenVpn() : Contender("openvpn")
{
    private const int TunnelPort = 9994;
    private const string ClientInner = "10.80.0.1";
    private const string ServerInner = "10.80.0.2";
    private const string Device = "/dev/net/tun";

    private static readonly string[] Common =
    [
        "--dev", "tun", "--data-ciphers", "AES-128-GCM", "--sndbuf", "4194304", "--rcvbuf", "4194304", "--txqueuelen", "10000", "--verb", "3",
    ];

    public override ContenderKind Kind => ContenderKind.Other;

    public override string? Lacks => Missing("openvpn") ?? (File.Exists(Device) ? null : $"no {Device} here");

    public override async Task<RunningContender> StartAsync(ContenderSetup setup, CancellationToken cancel)
    {
        string clientPrint = await MakeCertificateAsync(setup.Folder, "client", cancel).ConfigureAwait(false);
        string serverPrint = await MakeCertificateAsync(setup.Folder, "server", cancel).ConfigureAwait(false);
        LabNetwork network = setup.Network;
        string program = Locate("openvpn")!;
        LabProcess serving = LabProcess.Start(
            network.Server,
            [
                program, .. Common, .. Identity(setup.Folder, "server", clientPrint), "--tls-server", "--dh", "none", "--proto", "udp4",
                "--local", network.ServerAddress, "--port", $"{TunnelPort}", "--ifconfig", ServerInner, ClientInner,
            ]);
        // Whoever comes too early waits two seconds before it tries again.
        await WhenReadyAsync(new RunningContender("", serving), [(serving, "link local (bound)")], cancel).ConfigureAwait(false);
        LabProcess asking = LabProcess.Start(
            network.Client,
            [
                program, .. Common, .. Identity(setup.Folder, "client", serverPrint), "--tls-client", "--proto", "udp4",
                "--remote", network.ServerAddress, $"{TunnelPort}", "--nobind", "--ifconfig", ClientInner, ServerInner,
            ]);
        const string Ready = "Initialization Sequence Completed";
        var running = new RunningContender($"{ServerInner}:{setup.Port}", asking, serving);
        return await WhenReadyAsync(running, [(serving, Ready), (asking, Ready)], cancel).ConfigureAwait(false);
    }

    private static string[] Identity(string folder, string name, string peerPrint) =>
        ["--cert", Path.Combine(folder, $"{name}.crt"), "--key", Path.Combine(folder, $"{name}.key"), "--peer-fingerprint", peerPrint];

    /// <returns>Its SHA-256 fingerprint, as openvpn writes it.</returns>
    private static async Task<string> MakeCertificateAsync(string folder, string name, CancellationToken cancel)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
        await File.WriteAllTextAsync(Path.Combine(folder, $"{name}.crt"), certificate.ExportCertificatePem(), cancel).ConfigureAwait(false);
        await File.WriteAllTextAsync(Path.Combine(folder, $"{name}.key"), key.ExportPkcs8PrivateKeyPem(), cancel).ConfigureAwait(false);
        string print = certificate.GetCertHashString(HashAlgorithmName.SHA256);
        return string.Join(':', print.Chunk(2).Select(pair => new string(pair)));
    }
}
