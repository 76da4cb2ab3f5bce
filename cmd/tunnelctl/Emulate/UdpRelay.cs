using System.Net;
using System.Net.Sockets;
using Tunnel.Links.Emulation;
using Tunnel.Links.Memory;

namespace Tunnel.Ctl.Emulate;

/// <summary>
/// A UDP port that leads to another through a bad network. Each client has a socket of its own towards the target; all share the two
/// directions. Clients beyond a number take the place of whoever was quiet longest.
/// </summary>
internal sealed class UdpRelay : IDisposable
{
    private const int MaximumClients = 1024;
    private const int LongestDatagram = 65535;
    private const int BufferBytes = 8 << 20;

    private readonly Lock _gate = new();
    private readonly Socket _listener;
    private readonly IPEndPoint _target;
    private readonly ImpairedPath _there;
    private readonly ImpairedPath _back;
    private readonly Dictionary<SocketAddress, Client> _byAddress = [];
    private readonly Dictionary<ulong, Client> _byNumber = [];
    private ulong _lastNumber;
    private long _refused;

    /// <exception cref="SocketException">The port cannot be had.</exception>
    public UdpRelay(IPEndPoint listen, IPEndPoint target, MemoryWireOptions there, MemoryWireOptions back, ulong seed)
    {
        _target = target;
        _listener = CreateSocket(listen.AddressFamily);
        _listener.Bind(listen);
        _there = new ImpairedPath(there, seed, DeliverThere, "emulated path there");
        _back = new ImpairedPath(back, ~seed, DeliverBack, "emulated path back");
    }

    public EndPoint LocalEndPoint => _listener.LocalEndPoint!;

    public PathCounters There => CountersOf(_there);

    public PathCounters Back => CountersOf(_back);

    public async Task RunAsync(CancellationToken cancel)
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(LongestDatagram, pinned: true);
        var sender = new SocketAddress(_listener.AddressFamily);
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                int length = await _listener.ReceiveFromAsync(buffer, SocketFlags.None, sender, cancel).ConfigureAwait(false);
                _there.Offer(buffer.AsSpan(0, length), FindClient(sender).Number);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // An ICMP error about something that was sent: the next datagram has another chance.
            }
        }
    }

    public void Dispose()
    {
        _there.Dispose();
        _back.Dispose();
        _listener.Dispose();
        lock (_gate)
        {
            foreach (Client client in _byNumber.Values.ToList())
                Remove(client);
        }
    }

    private PathCounters CountersOf(ImpairedPath path)
    {
        (MemoryWireCounters wire, long bytes) = path.Counters;
        return new PathCounters(wire, bytes, 0, Interlocked.Read(ref _refused));
    }

    private static Socket CreateSocket(AddressFamily family) =>
        new(family, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = BufferBytes, SendBufferSize = BufferBytes };

    private Client FindClient(SocketAddress sender)
    {
        lock (_gate)
        {
            if (!_byAddress.TryGetValue(sender, out Client? client))
                client = AddClient(sender);
            client.LastHeard = Environment.TickCount64;
            return client;
        }
    }

    private Client AddClient(SocketAddress sender)
    {
        if (_byNumber.Count >= MaximumClients)
            Remove(_byNumber.Values.MinBy(c => c.LastHeard)!);
        var address = new SocketAddress(sender.Family, sender.Size);
        sender.Buffer[..sender.Size].CopyTo(address.Buffer);
        Socket socket = Connect();
        var client = new Client(++_lastNumber, address, socket);
        _byAddress.Add(address, client);
        _byNumber.Add(client.Number, client);
        _ = ReturnAsync(client);
        return client;
    }

    private Socket Connect()
    {
        Socket socket = CreateSocket(_target.AddressFamily);
        try
        {
            socket.Connect(_target);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Within the gate.</summary>
    private void Remove(Client client)
    {
        // Another may have the address by now.
        if (!_byNumber.Remove(client.Number))
            return;
        _byAddress.Remove(client.Address);
        client.Socket.Dispose();
    }

    private async Task ReturnAsync(Client client)
    {
        byte[] buffer = new byte[LongestDatagram];
        while (true)
        {
            try
            {
                int length = await client.Socket.ReceiveAsync(buffer).ConfigureAwait(false);
                _back.Offer(buffer.AsSpan(0, length), client.Number);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.HostUnreachable or SocketError.NetworkUnreachable)
            {
                // Nobody listens at the target yet, or something on the way says that it cannot be had now.
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The client's next datagram has another socket.
                lock (_gate)
                    Remove(client);
                return;
            }
        }
    }

    private void DeliverThere(ReadOnlySpan<byte> datagrams, ReadOnlySpan<int> lengths, ReadOnlySpan<ulong> tags)
    {
        for (int i = 0; i < lengths.Length; datagrams = datagrams[lengths[i]..], i++)
        {
            if (Find(tags[i]) is { } client)
                Send(client.Socket, datagrams[..lengths[i]], null);
        }
    }

    private void DeliverBack(ReadOnlySpan<byte> datagrams, ReadOnlySpan<int> lengths, ReadOnlySpan<ulong> tags)
    {
        for (int i = 0; i < lengths.Length; datagrams = datagrams[lengths[i]..], i++)
        {
            if (Find(tags[i]) is { } client)
                Send(_listener, datagrams[..lengths[i]], client.Address);
        }
    }

    private Client? Find(ulong number)
    {
        lock (_gate)
            return _byNumber.GetValueOrDefault(number);
    }

    private void Send(Socket socket, ReadOnlySpan<byte> datagram, SocketAddress? to)
    {
        try
        {
            if (to is null)
                socket.Send(datagram);
            else
                socket.SendTo(datagram, SocketFlags.None, to);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Interlocked.Increment(ref _refused);
        }
    }

    private sealed record Client(ulong Number, SocketAddress Address, Socket Socket)
    {
        public long LastHeard { get; set; }
    }
}
