using System.Net;
using System.Net.Sockets;

namespace Tunnel.App.Services;

/// <summary>A UDP socket as the relays of datagrams want it: ICMP errors and what the system will not send are losses, not ends.</summary>
internal sealed class DatagramSocket(AddressFamily family) : IDisposable
{
    /// <summary>A burst of a few hundred full-sized datagrams; the system cuts this to what it allows.</summary>
    private const int BufferBytes = 1 << 20;

    private readonly Socket _socket = new(family, SocketType.Dgram, ProtocolType.Udp)
    {
        ReceiveBufferSize = BufferBytes,
        SendBufferSize = BufferBytes,
        // A datagram that turns out to be broken when it is read must not make the reader wait for the next.
        Blocking = false,
    };

    public IPEndPoint LocalEndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    /// <exception cref="SocketException">The address is taken or not this host's.</exception>
    public void Bind(IPEndPoint address)
    {
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
            _socket.DualMode = address.Address.Equals(IPAddress.IPv6Any);
        _socket.Bind(address);
    }

    /// <summary>A socket to which only <paramref name="target"/> can send.</summary>
    /// <exception cref="SocketException">There is no route.</exception>
    public static DatagramSocket ConnectTo(IPEndPoint target)
    {
        var socket = new DatagramSocket(target.AddressFamily);
        try
        {
            socket._socket.Connect(target);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Waits for a datagram without holding memory for it.</summary>
    /// <exception cref="ObjectDisposedException">The socket was disposed meanwhile.</exception>
    public async ValueTask WaitAsync(CancellationToken cancel)
    {
        try
        {
            await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.Peek, cancel).ConfigureAwait(false);
        }
        catch (SocketException e) when (IsLoss(e))
        {
            // Somebody's ICMP answer to what was sent before.
        }
    }

    /// <summary>Takes a datagram that is there; -1 when there was none after all.</summary>
    public int TryReceive(Span<byte> destination, SocketAddress from)
    {
        try
        {
            return _socket.Poll(0, SelectMode.SelectRead) ? _socket.ReceiveFrom(destination, SocketFlags.None, from) : -1;
        }
        catch (SocketException e) when (IsLoss(e))
        {
            return -1;
        }
    }

    /// <summary>Sends to the one that is connected to; false when the system would not.</summary>
    public async ValueTask<bool> TrySendAsync(ReadOnlyMemory<byte> datagram)
    {
        try
        {
            await _socket.SendAsync(datagram, SocketFlags.None).ConfigureAwait(false);
            return true;
        }
        catch (SocketException e) when (IsLoss(e))
        {
            return false;
        }
    }

    /// <summary>Sends to somebody; false when the system would not.</summary>
    public async ValueTask<bool> TrySendAsync(ReadOnlyMemory<byte> datagram, SocketAddress to)
    {
        try
        {
            await _socket.SendToAsync(datagram, SocketFlags.None, to).ConfigureAwait(false);
            return true;
        }
        catch (SocketException e) when (IsLoss(e))
        {
            return false;
        }
    }

    /// <summary>An address that the next datagram does not overwrite.</summary>
    public static SocketAddress Copy(SocketAddress address)
    {
        var copy = new SocketAddress(address.Family, address.Size);
        address.Buffer.Span[..address.Size].CopyTo(copy.Buffer.Span);
        return copy;
    }

    public void Dispose() => _socket.Dispose();

    private static bool IsLoss(SocketException e) =>
        e.SocketErrorCode is not (SocketError.OperationAborted or SocketError.Interrupted or SocketError.NotSocket);
}
