using System.Net;
using System.Net.Sockets;

namespace Tunnel.Tests.Services;

/// <summary>Sends every datagram back to where it came from.</summary>
internal sealed class UdpEcho : IDisposable
{
    private readonly Socket _socket;

    public UdpEcho(IPAddress address)
    {
        _socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _socket.Bind(new IPEndPoint(address, 0));
        _ = RunAsync();
    }

    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public void Dispose() => _socket.Dispose();

    private async Task RunAsync()
    {
        byte[] buffer = new byte[65_536];
        try
        {
            while (true)
            {
                SocketReceiveFromResult received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, _socket.LocalEndPoint!);
                await _socket.SendToAsync(buffer.AsMemory(0, received.ReceivedBytes), SocketFlags.None, received.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }
}

/// <summary>An application that sends datagrams to one address and waits for the answers; through a SOCKS5 relay if it has one.</summary>
internal sealed class UdpApplication : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Socket _socket;
    private readonly byte[] _header;
    private readonly CancellationTokenSource _limit = new(Patience);

    public UdpApplication(IPEndPoint relay, byte[]? header = null)
    {
        _socket = new Socket(relay.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _socket.Connect(relay);
        _header = header ?? [];
    }

    public async Task SendAsync(byte[] data) => await _socket.SendAsync((byte[])[.. _header, .. data], SocketFlags.None, _limit.Token);

    public async Task<byte[]> ReceiveAsync()
    {
        byte[] buffer = new byte[65_536];
        int length = await _socket.ReceiveAsync(buffer, SocketFlags.None, _limit.Token);
        Assert.Equal(_header, buffer[.._header.Length]);
        return buffer[_header.Length..length];
    }

    public async Task<byte[]> AskAsync(byte[] data)
    {
        await SendAsync(data);
        return await ReceiveAsync();
    }

    public void Dispose()
    {
        _socket.Dispose();
        _limit.Dispose();
    }
}

/// <summary>A SOCKS5 client's connection with an association.</summary>
internal sealed class Socks5Client : IDisposable
{
    private readonly Socket _control = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>Where datagrams go.</summary>
    public IPEndPoint Relay { get; private set; } = new(IPAddress.Loopback, 0);

    /// <summary>The reply's code; 0 is success.</summary>
    public byte Reply { get; private set; }

    public static async Task<Socks5Client> AssociateAsync(IPEndPoint proxy)
    {
        var client = new Socks5Client();
        await client._control.ConnectAsync(proxy);
        await client._control.SendAsync((byte[])[5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0]);
        byte[] answer = new byte[12];
        for (int have = 0; have < answer.Length;)
            have += await client._control.ReceiveAsync(answer.AsMemory(have));
        client.Reply = answer[3];
        client.Relay = new IPEndPoint(new IPAddress(answer.AsSpan(6, 4)), answer[10] << 8 | answer[11]);
        return client;
    }

    /// <summary>The header of a datagram to an address.</summary>
    public static byte[] Header(IPAddress address, int port) =>
        [0, 0, 0, address.AddressFamily == AddressFamily.InterNetwork ? (byte)1 : (byte)4, .. address.GetAddressBytes(), .. Port(port)];

    /// <summary>The header of a datagram to a name.</summary>
    public static byte[] Header(string name, int port) =>
        [0, 0, 0, 3, (byte)name.Length, .. System.Text.Encoding.ASCII.GetBytes(name), .. Port(port)];

    public void Dispose() => _control.Dispose();

    private static byte[] Port(int port) => [(byte)(port >> 8), (byte)port];
}
