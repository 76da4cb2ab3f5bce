using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Limits;

/// <summary>Who has not the secret gets nowhere, and costs nothing that lasts.</summary>
[Collection(nameof(StrangerTests))]
public class StrangerTests : EndToEndTest
{
    private const byte NetworkUnreachable = 3;

    [Theory(Timeout = Limit)]
    [InlineData("transport.kcp.key", "another key")]
    [InlineData("transport.kcp.guard_magic", "XXXX")]
    [InlineData("transport.kcp.block", "aes-256-gcm")]
    [InlineData("transport.kcp.block", "xor")]
    public async Task AClientWithOtherSettingsIsToldThatItDoesNotWork(string key, string value)
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        TunnelProcess server = await StartServerAsync(TunnelSettings.UdpServer(port));
        TunnelProcess stranger = await StartClientAsync(
            TunnelSettings.UdpClient(port).WithSocks5().With("transport.open_timeout", "1s").With(key, value));
        (Socket socket, byte reply) = await SocksClient.TryConnectAsync(await stranger.Socks5PortAsync(), "127.0.0.1", target.Port);
        socket.Dispose();
        Assert.Equal(NetworkUnreachable, reply);
        Assert.Equal(0, server.Count("began"));

        TunnelProcess friend = await StartClientAsync(TunnelSettings.UdpClient(port).WithSocks5());
        await EchoAsync(friend, target);
    }

    /// <summary>
    /// Without guard and cipher anybody can begin sessions. Ten thousand do; the cap holds, memory stays, who was there before goes on,
    /// and who comes after finds a place.
    /// </summary>
    [Fact(Timeout = Limit)]
    public async Task AFloodOfNewSourcesIsCapped()
    {
        const int cap = 64;
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        UdpPair pair = await UdpPair.StartAsync(
            this,
            port,
            s => Open(s).With("transport.kcp.max_sessions", cap).With("log.level", "info"),
            c => Open(c));
        await EchoAsync(pair.Client, target);
        // The runtime takes what memory it likes for such a pace first.
        await FloodAsync(port, sources: 5_000);
        await EchoAsync(pair.Client, target);
        long before = pair.Server.ResidentBytes;

        await FloodAsync(port, sources: 10_000);
        await EchoAsync(pair.Client, target);
        double growth = (pair.Server.ResidentBytes - before) / (double)Payload.MiB;
        Assert.True(growth < 30, $"the server grew by {growth:0.0} MiB");
        await pair.Server.LineAsync("transport.kcp.max_sessions is reached: the oldest session that never answered gave its place");
        TunnelProcess late = await StartClientAsync(Open(TunnelSettings.UdpClient(port).WithSocks5()));
        await EchoAsync(late, target);
        await EchoAsync(pair.Client, target);
        // What it had begun with ends when it stops, not before.
        Assert.Equal(0, pair.Client.Count("the session ended"));
    }

    /// <summary>Datagrams of noise, of every length, change nothing.</summary>
    [Fact(Timeout = Limit)]
    public async Task NoiseIsIgnored()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        UdpPair pair = await UdpPair.StartAsync(this, port);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        byte[] noise = Payload.Bytes(1, 1500);
        for (int length = 0; length <= noise.Length; length++)
            await socket.SendToAsync(noise.AsMemory(0, length), new IPEndPoint(IPAddress.Loopback, port));
        await EchoAsync(pair.Client, target);
        await pair.Server.LineAsync("began");
        Assert.Equal(1, pair.Server.Count("began"));
    }

    private static TunnelSettings Open(TunnelSettings settings) => settings
        .With("transport.kcp.block", "null")
        .With("transport.kcp.guard", false);

    /// <summary>Each source is a socket of its own for one datagram: the first segment of a conversation, which opens a stream.</summary>
    private static async Task FloodAsync(int port, int sources)
    {
        var server = new IPEndPoint(IPAddress.Loopback, port);
        for (int i = 0; i < sources; i++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            // More addresses than ports: the kernel gives the same port again soon.
            socket.Bind(new IPEndPoint(new IPAddress([127, 1, (byte)(i >> 8), (byte)i]), 0));
            await socket.SendToAsync(FirstDatagram(conversation: (uint)i + 1), server);
        }
    }

    private static byte[] FirstDatagram(uint conversation)
    {
        const byte push = 81;
        byte[] openStream = [2, 0, 0, 0, 3, 0, 0, 0];
        byte[] datagram = new byte[24 + openStream.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(datagram, conversation);
        datagram[4] = push;
        BinaryPrimitives.WriteUInt16LittleEndian(datagram.AsSpan(6), 128);
        BinaryPrimitives.WriteUInt32LittleEndian(datagram.AsSpan(20), (uint)openStream.Length);
        openStream.CopyTo(datagram, 24);
        return datagram;
    }

    private static async Task EchoAsync(TunnelProcess client, SocketTarget target)
    {
        using Socket socket = await SocksClient.ConnectAsync(await client.Socks5PortAsync(), "127.0.0.1", target.Port);
        await socket.SendTextAsync("hello");
        Assert.Equal("hello", await socket.ReceiveTextAsync(5));
    }
}
