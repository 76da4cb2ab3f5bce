using System.Net;
using Tunnel.App.Runtime;
using Tunnel.EndToEnd.Harness;
using Tunnel.Links;
using Tunnel.Links.Udp;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Wire;

namespace Tunnel.EndToEnd.Peers;

/// <summary>
/// A paqet-style peer, played: KCP and smux with paqet's settings, over UDP on loopback; what is on its streams, the test writes and
/// reads as frames of bytes. It never half-closes: its FIN is the end of both directions, and it takes one so.
/// </summary>
internal sealed class ScriptedPeer : IAsyncDisposable
{
    private const string Cipher = "aes";
    private const int Mtu = 1350;

    private readonly DeadlineLoop _deadlines = new();
    private readonly LinkReceiver _receiver;
    private readonly Func<PeerSession?> _session;

    private ScriptedPeer(Func<SessionFactory, DeadlineLoop, (LinkReceiver Receiver, Func<PeerSession?> Session)> create)
    {
        var kcp = new KcpOptions { NoDelay = false, Interval = 30, Resend = 2, NoCongestion = true, SendWindow = 1024, ReceiveWindow = 1024 };
        var mux = new MuxOptions { SessionBuffer = 4 << 20, StreamBuffer = 2 << 20, KeepAlive = 2_000, KeepAliveTimeout = 8_000 };
        byte[] key = KeyDerivation.Paqet(TunnelSettings.Key);
        (_receiver, _session) = create(new SessionFactory(Cipher, key, kcp, mux, Mtu, guard: null, admission: null), _deadlines);
        _receiver.Start();
    }

    /// <summary>A client of a server of ours.</summary>
    public static ScriptedPeer Connect(int port)
    {
        var server = new IPEndPoint(IPAddress.Loopback, port);
        var link = new ReplaceableLink(UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback }));
        var opened = new OpenedLink(link, new DatagramCarrier(), DatagramCarrier.Open(link, server), Endpoint.FromIPEndPoint(server), null, null);
        return new ScriptedPeer((sessions, deadlines) =>
        {
            var receiver = new ClientReceiver(opened, sessions, deadlines);
            return (receiver, () => receiver.Session);
        });
    }

    /// <summary>A server for a client of ours.</summary>
    /// <param name="port">Where.</param>
    /// <param name="serve">What it does with a stream; the stream is closed when that ends.</param>
    public static ScriptedPeer Listen(int port, Func<ScriptedStream, Task> serve)
    {
        var link = new ReplaceableLink(UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback, Port = port }));
        return new ScriptedPeer((sessions, deadlines) =>
        {
            var all = new ServerSessions(sessions, new DatagramCarrier(), link, deadlines, () => 4);
            all.StreamOpened += stream => _ = ServeAsync(new ScriptedStream(stream), serve);
            return (new ServerReceiver(link, all), () => all.GetAll().LastOrDefault());
        });
    }

    /// <summary>What both files of a stock peer's situation have.</summary>
    public static TunnelSettings Stock(TunnelSettings settings) => settings
        .With("transport.kcp.block", Cipher)
        .With("transport.kcp.guard", false);

    /// <summary>The session is as the test left it.</summary>
    public bool IsAlive => Session is { IsClosed: false };

    public ScriptedStream Open() => new(Session!.OpenStream() ?? throw new IOException("the session takes no stream"));

    public ValueTask DisposeAsync()
    {
        _receiver.Dispose();
        Session?.Close(CloseReason.Local);
        _deadlines.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The only one.</summary>
    private PeerSession? Session => _session();

    private static async Task ServeAsync(ScriptedStream stream, Func<ScriptedStream, Task> serve)
    {
        try
        {
            await serve(stream);
        }
        catch (IOException)
        {
            // The other end is gone; tests look there.
        }
        finally
        {
            stream.Close();
        }
    }
}

/// <summary>A stream whose frames the test sees one by one, as a program that uses smux does.</summary>
internal sealed class ScriptedStream
{
    private readonly TunnelStream _stream;

    public ScriptedStream(TunnelStream stream)
    {
        _stream = stream;
        Assert.True(stream.ReadFrames());
    }

    /// <summary>A FIN has come: to this peer that means that nobody reads what it would still write.</summary>
    public bool IsFinished => _stream.PeerFinished;

    public async Task SendAsync(params string[] frames)
    {
        foreach (string frame in frames)
            await SendAsync(Convert.FromHexString(frame));
    }

    public async Task SendAsync(ReadOnlyMemory<byte> frame) => Assert.True(await _stream.WriteFrameAsync(frame));

    /// <summary>Sends a lot, in frames as large as they may be.</summary>
    public async Task SendAllAsync(byte[] data)
    {
        for (int sent = 0; sent < data.Length; sent += 32_768)
            await SendAsync(data.AsMemory(sent, Math.Min(32_768, data.Length - sent)));
    }

    /// <summary>The next frame; empty at the end.</summary>
    public async Task<byte[]> ReceiveAsync()
    {
        byte[] buffer = new byte[65_536];
        while (true)
        {
            int length = _stream.TryReadFrame(buffer);
            if (length >= 0)
                return buffer[..length];
            await _stream.WaitReadableAsync().AsTask().WaitAsync(Until.Patience);
        }
    }

    public async Task<string> ReceiveHexAsync() => Convert.ToHexStringLower(await ReceiveAsync());

    /// <summary>Receives exactly these frames.</summary>
    public async Task ExpectAsync(params string[] frames)
    {
        foreach (string frame in frames)
            Assert.Equal(frame, await ReceiveHexAsync());
    }

    /// <summary>Receives bytes, however they were cut.</summary>
    public async Task<byte[]> ReceiveBytesAsync(int length)
    {
        using var all = new MemoryStream();
        while (all.Length < length)
        {
            byte[] frame = await ReceiveAsync();
            Assert.NotEmpty(frame);
            all.Write(frame);
        }

        return all.ToArray();
    }

    public async Task<byte[]> ReceiveToEndAsync()
    {
        using var all = new MemoryStream();
        while (await ReceiveAsync() is { Length: > 0 } frame)
            all.Write(frame);
        return all.ToArray();
    }

    public void Close() => _stream.Close();
}
