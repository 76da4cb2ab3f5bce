using System.Net;
using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Peers;

/// <summary>Our client, and a server that speaks paqet's words byte by byte, in each of its dialects.</summary>
[Collection(nameof(PaqetServerTests))]
public class PaqetServerTests : EndToEndTest
{
    private const string Host = "target.test";
    private const int Port = 8080;
    private const int Length = 1_000_000;

    public static TheoryData<string> Dialects => ["v1", "v3", "gob"];

    /// <summary>The proxy has no dial result to wait for: it says yes once the server was asked.</summary>
    [Theory(Timeout = Limit)]
    [MemberData(nameof(Dialects))]
    public async Task TheProxySaysYesBeforeTheServerSaysAnything(string dialect)
    {
        var release = new TaskCompletionSource();
        TunnelProcess client = await StartAsync(dialect, async stream =>
        {
            await release.Task;
            Assert.Equal("hello"u8.ToArray(), await stream.ReceiveAsync());
            await stream.SendAsync("world"u8.ToArray());
            Assert.Empty(await stream.ReceiveAsync());
        });
        using Socket socket = await SocksClient.ConnectAsync(await client.Socks5PortAsync(), Host, Port);
        await socket.SendTextAsync("hello");
        release.SetResult();
        Assert.Equal("world", await socket.ReceiveTextAsync(5));
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Dialects))]
    public async Task ADialThatFailsEndsTheConnection(string dialect)
    {
        TunnelProcess client = await StartAsync(dialect, _ => Task.CompletedTask);
        using Socket socket = await SocksClient.ConnectAsync(await client.Socks5PortAsync(), Host, Port);
        await socket.EndsWithResetAsync(Until.Patience);
    }

    /// <summary>An application that says that it has said all must still get all of the answer: a FIN before would cut it off.</summary>
    [Theory(Timeout = Limit)]
    [MemberData(nameof(Dialects))]
    public async Task NoFinishGoesOutBeforeTheAnswerIsWhole(string dialect)
    {
        var finishedEarly = new TaskCompletionSource<bool>();
        TunnelProcess client = await StartAsync(dialect, async stream =>
        {
            Assert.Equal("request"u8.ToArray(), await stream.ReceiveAsync());
            await stream.SendAllAsync(Payload.Bytes(1, Length));
            finishedEarly.SetResult(stream.IsFinished);
        });
        using Socket socket = await SocksClient.ConnectAsync(await client.Socks5PortAsync(), Host, Port);
        await socket.SendTextAsync("request");
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(Payload.Hash(1, Length), Payload.Hash(await socket.ReceiveToEndAsync()));
        Assert.False(await finishedEarly.Task.WaitAsync(Until.Patience));
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Dialects))]
    public async Task ADatagramIsAFrame(string dialect)
    {
        TunnelProcess client = await StartAsync(
            dialect,
            async stream =>
            {
                while (await stream.ReceiveAsync() is { Length: > 0 } datagram)
                    await stream.SendAsync(datagram);
            },
            PaqetBytes.Udp(dialect, Host, Port),
            c => c.WithForward($"{Host}:{Port}", protocol: "udp"));
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(IPAddress.Loopback, await client.UdpForwardPortAsync());
        foreach (int length in (int[])[1, 700, 1200, 4000, 2])
        {
            byte[] datagram = Payload.Bytes(length, length), answer = new byte[65_536];
            await socket.SendAsync(datagram);
            Assert.Equal(datagram, answer[..await socket.ReceiveAsync(answer).WaitAsync(Until.Patience)]);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task AStockServerKnowsNoReverseForwardsAndIsSaidNotTo()
    {
        TunnelProcess client = await StartAsync(
            "v1", _ => Task.CompletedTask, change: c => c.WithReverse("127.0.0.1:8080", "127.0.0.1:80"));
        await client.LineAsync("reverse 127.0.0.1:8080: 127.0.0.1:");
        Assert.Equal(1, client.Count("knows no reverse forwards"));
    }

    /// <summary>A server names which forward is meant; one that was not asked for, or that another client asked for, is not dialled.</summary>
    [Fact(Timeout = Limit)]
    public async Task AServerCannotMakeTheClientDialAnythingElse()
    {
        var registered = new TaskCompletionSource<string>();
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        ScriptedPeer server = Own(ScriptedPeer.Listen(port, async stream =>
        {
            string header = await stream.ReceiveHexAsync();
            if (header.StartsWith(PaqetBytes.CapabilitiesQuestion, StringComparison.Ordinal))
            {
                await stream.SendAsync("5001100004" + "00000080");
                await stream.ReceiveAsync();
                return;
            }

            registered.TrySetResult(header);
            await stream.SendAsync("00");
            await stream.ReceiveAsync();
        }));
        TunnelProcess client = await StartClientAsync(
            ScriptedPeer.Stock(TunnelSettings.UdpClient(port)).WithReverse("127.0.0.1:8080", target.Address));
        string asked = await registered.Task.WaitAsync(Until.Patience);
        // 50 01, the request, its length; the client, the number, the session, TCP; 9 characters, and the port.
        string id = asked[10..42];
        Assert.Equal("5001180023" + id + "00000000" + "0000" + "00" + "09" + "3132372e302e302e31" + "1f90", asked);
        await client.LineAsync("listens on 127.0.0.1:8080");

        const string From = "09" + "3139322e302e322e31" + "0016";
        string[] wrong = [id + "00000001" + "0000" + "00", id + "00000000" + "0000" + "01", new string('0', 32) + "00000000" + "0000" + "00"];
        foreach (string name in wrong)
        {
            ScriptedStream refused = server.Open();
            await refused.SendAsync("5001190023" + name + From);
            Assert.Empty(await refused.ReceiveToEndAsync());
        }

        ScriptedStream dial = server.Open();
        await dial.SendAsync("500104" + "000c" + "09" + "3132372e302e302e31" + $"{target.Port:x4}");
        Assert.Empty(await dial.ReceiveToEndAsync());
        Assert.Equal(0, target.Accepted);

        ScriptedStream right = server.Open();
        await right.SendAsync("5001190023" + id + "00000000" + "0000" + "00" + From);
        await right.ExpectAsync("00");
        await right.SendAsync("hello"u8.ToArray());
        Assert.Equal("hello"u8.ToArray(), await right.ReceiveAsync());
        Assert.Equal(1, target.Accepted);
    }

    /// <summary>
    /// A fork's reader may not close a stream whose header it does not understand but wait for more of it: the client must not wait
    /// for such a peer.
    /// </summary>
    [Theory(Timeout = Limit)]
    [InlineData("v3")]
    [InlineData("gob")]
    public async Task AQuestionThatIsNeitherAnsweredNorClosedHoldsUpNothing(string dialect)
    {
        TunnelProcess client = await StartAsync(dialect, stream => stream.SendAsync("hello"u8.ToArray()), closesQuestions: false);
        using Socket socket = await SocksClient.ConnectAsync(await client.Socks5PortAsync(), Host, Port);
        Assert.Equal("hello", await socket.ReceiveTextAsync(5));
    }

    /// <summary>A server in a dialect, and a client that is told so.</summary>
    private async Task<TunnelProcess> StartAsync(
        string dialect,
        Func<ScriptedStream, Task> serve,
        string[]? expected = null,
        Action<TunnelSettings>? change = null,
        bool closesQuestions = true)
    {
        int port = FreeUdpPort();
        Own(ScriptedPeer.Listen(port, stream => ServeAsync(stream, dialect, expected ?? PaqetBytes.Tcp(dialect, Host, Port), serve, closesQuestions)));
        TunnelSettings settings = ScriptedPeer.Stock(TunnelSettings.UdpClient(port)).With("transport.header", dialect).WithSocks5();
        change?.Invoke(settings);
        TunnelProcess client = await StartClientAsync(settings);
        await client.ConnectedAsync();
        return client;
    }

    private static async Task ServeAsync(
        ScriptedStream stream, string dialect, string[] expected, Func<ScriptedStream, Task> serve, bool closesQuestions)
    {
        string[] ping = PaqetBytes.Ping(dialect);
        List<string> header = [];
        while (header.Count < expected.Length)
        {
            header.Add(await stream.ReceiveHexAsync());
            if (header[0].StartsWith(PaqetBytes.CapabilitiesQuestion, StringComparison.Ordinal))
            {
                // What is no header of its own is closed; or more of it is waited for.
                if (!closesQuestions)
                    await stream.ReceiveToEndAsync();
                return;
            }

            if (header.SequenceEqual(ping))
            {
                await stream.SendAsync(PaqetBytes.Pong(dialect));
                return;
            }
        }

        Assert.Equal(expected, header);
        await serve(stream);
    }
}
