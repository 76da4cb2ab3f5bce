using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Tunnel.Ctl.Ping;

/// <summary>
/// Hears, where the process may (CAP_NET_RAW), the ICMP errors about packets to one server: routers and firewalls that reject say so.
/// </summary>
internal sealed class IcmpListener : IDisposable
{
    private readonly Socket? _socket;
    private readonly IPAddress _server;
    private readonly Task _reading;
    private string _heard = "";
    private bool _refusesPort;

    public IcmpListener(IPAddress server)
    {
        _server = server;
        try
        {
            bool v6 = server.AddressFamily == AddressFamily.InterNetworkV6;
            _socket = new Socket(server.AddressFamily, SocketType.Raw, v6 ? ProtocolType.IcmpV6 : ProtocolType.Icmp);
            _socket.Bind(new IPEndPoint(v6 ? IPAddress.IPv6Any : IPAddress.Any, 0));
        }
        catch (SocketException)
        {
            // Without the privilege there is less to tell.
        }

        _reading = _socket is null ? Task.CompletedTask : Task.Run(ReadAsync);
    }

    /// <summary>The last error and who sent it; empty for none.</summary>
    public string Heard => Volatile.Read(ref _heard);

    /// <summary>The server itself, or a firewall in its name, said that the port is unreachable.</summary>
    public bool RefusesPort => Volatile.Read(ref _refusesPort);

    public void Dispose()
    {
        _socket?.Dispose();
        _reading.Wait();
    }

    private async Task ReadAsync()
    {
        byte[] buffer = new byte[2048];
        var any = new IPEndPoint(_server.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        try
        {
            while (true)
            {
                SocketReceiveFromResult got = await _socket!.ReceiveFromAsync(buffer, any).ConfigureAwait(false);
                bool v6 = _server.AddressFamily == AddressFamily.InterNetworkV6;
                ReadOnlySpan<byte> message = buffer.AsSpan(0, got.ReceivedBytes);
                if ((v6 ? IcmpError.ReadV6(message, _server) : IcmpError.ReadV4(message, _server)) is { } error)
                    Note(((IPEndPoint)got.RemoteEndPoint).Address, error);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The run is over.
        }
    }

    private void Note(IPAddress from, string error)
    {
        if (error == IcmpError.PortUnreachable && from.Equals(_server))
            Volatile.Write(ref _refusesPort, true);
        Volatile.Write(ref _heard, $"{from} says \"{error}\"");
    }
}

/// <summary>ICMP errors, as far as they are about packets to a server.</summary>
internal static class IcmpError
{
    /// <summary>No socket listens, or a firewall rejects and says the same.</summary>
    public const string PortUnreachable = "port unreachable";

    private const int HeaderLength = 8;
    private const int V4Header = 20;
    private const int V6Header = 40;
    private const int V4Destination = 16;
    private const int V6Destination = 24;

    /// <param name="packet">With its IP header, as raw IPv4 sockets deliver.</param>
    /// <param name="server">Whom the packet in question went to.</param>
    /// <returns>What went wrong; null for any other message.</returns>
    public static string? ReadV4(ReadOnlySpan<byte> packet, IPAddress server)
    {
        if (packet.IsEmpty)
            return null;
        int header = (packet[0] & 0xF) * 4;
        if (header < V4Header || packet.Length < header + HeaderLength + V4Header)
            return null;
        ReadOnlySpan<byte> icmp = packet[header..];
        if (!IsAbout(icmp.Slice(HeaderLength + V4Destination, 4), server))
            return null;
        return (icmp[0], icmp[1]) switch
        {
            (3, 0) => "network unreachable",
            (3, 1) => "host unreachable",
            (3, 2) => "protocol unreachable",
            (3, 3) => PortUnreachable,
            (3, 4) => Mtu(BinaryPrimitives.ReadUInt16BigEndian(icmp[6..])),
            (3, 9 or 10 or 13) => "prohibited by a firewall",
            (3, _) => "unreachable",
            (11, _) => "time to live exceeded: a routing loop?",
            _ => null,
        };
    }

    /// <param name="icmp">Without an IP header, as raw IPv6 sockets deliver.</param>
    /// <param name="server">Whom the packet in question went to.</param>
    /// <returns>What went wrong; null for any other message.</returns>
    public static string? ReadV6(ReadOnlySpan<byte> icmp, IPAddress server)
    {
        if (icmp.Length < HeaderLength + V6Header || !IsAbout(icmp.Slice(HeaderLength + V6Destination, 16), server))
            return null;
        return (icmp[0], icmp[1]) switch
        {
            (1, 0) => "no route",
            (1, 1 or 5 or 6) => "prohibited by a firewall",
            (1, 4) => PortUnreachable,
            (1, _) => "address unreachable",
            (2, _) => Mtu((int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt32BigEndian(icmp[4..]))),
            (3, _) => "hop limit exceeded: a routing loop?",
            _ => null,
        };
    }

    private static string Mtu(int mtu) => $"packet too big, the MTU is {mtu}: lower transport.kcp.mtu";

    private static bool IsAbout(ReadOnlySpan<byte> destination, IPAddress server) => new IPAddress(destination).Equals(server);
}
