using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Interop;

/// <summary>Our ends against the real kcptun, as distributions package it, over UDP.</summary>
[Collection(nameof(KcptunTests))]
public class KcptunTests : EndToEndTest
{
    private const int Length = 8 * Payload.MiB;

    public static TheoryData<string, int> Variants =>
        new MatrixTheoryData<string, int>(["aes", "aes-128", "none"], [1, 2]);

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Variants))]
    public async Task TheirClientWorksWithOurServer(string cipher, int smuxVersion)
    {
        Requires.Tool("kcptun-client");
        SocketTarget target = Own(SocketTarget.Start(AnswerAsync));
        int port = FreeUdpPort();
        await StartServerAsync(Kcptun(TunnelSettings.UdpServer(port), cipher, smuxVersion).With("listen.target", target.Address));
        int local = FreeTcpPort();
        StartProcess(
            null, "kcptun-client",
            ["--localaddr", $"127.0.0.1:{local}", "--remoteaddr", $"127.0.0.1:{port}", .. Options(cipher, smuxVersion)]);
        await ExchangeAsync(local);
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Variants))]
    public async Task OurClientWorksWithTheirServer(string cipher, int smuxVersion)
    {
        Requires.Tool("kcptun-server");
        SocketTarget target = Own(SocketTarget.Start(AnswerAsync));
        int port = FreeUdpPort();
        ChildProcess server = StartProcess(
            null, "kcptun-server", ["--listen", $"127.0.0.1:{port}", "--target", target.Address, .. Options(cipher, smuxVersion)]);
        await server.LineAsync("key derivation done");
        TunnelProcess client = await StartClientAsync(
            Kcptun(TunnelSettings.UdpClient(port), cipher, smuxVersion).WithForward(target: null));
        await ExchangeAsync(await client.ForwardPortAsync());
    }

    private static TunnelSettings Kcptun(TunnelSettings settings, string cipher, int smuxVersion) => settings
        .With("transport.profile", "kcptun")
        .With("transport.kcp.block", cipher)
        .With("transport.kcp.smux_version", smuxVersion);

    private static string[] Options(string cipher, int smuxVersion) =>
    [
        "--nocomp", "--datashard", "0", "--parityshard", "0", "--smuxver", $"{smuxVersion}", "--crypt", cipher,
        "--key", TunnelSettings.Key, "--mode", "fast",
    ];

    /// <summary>Takes <see cref="Length"/> bytes, and answers their hash and as many bytes again.</summary>
    private static async Task AnswerAsync(Socket socket)
    {
        byte[] upload = await socket.ReceiveExactlyAsync(Length);
        await socket.SendAllAsync(Convert.FromHexString(Payload.Hash(upload)));
        await socket.SendAllAsync(Payload.Bytes(2, Length));
    }

    private static async Task ExchangeAsync(int port)
    {
        byte[] upload = Payload.Bytes(1, Length);
        using Socket socket = await ConnectAsync(port);
        await socket.SendAllAsync(upload);
        Assert.Equal(Payload.Hash(upload), Convert.ToHexStringLower(await socket.ReceiveExactlyAsync(32)));
        Assert.Equal(Payload.Hash(2, Length), Payload.Hash(await socket.ReceiveExactlyAsync(Length)));
    }

    // kcptun says that it listens before it does.
    private static async Task<Socket> ConnectAsync(int port)
    {
        Socket? socket = null;
        await Until.TrueAsync($"port {port} takes connections", async () =>
        {
            try
            {
                socket = await SocksClient.ConnectDirectlyAsync(port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        });
        return socket!;
    }

    private static int FreeTcpPort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
