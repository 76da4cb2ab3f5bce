using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>
/// A SOCKS5 client's association: a UDP port of its own at the address that the client connected to, a stream for each target. It
/// ends with the client's connection. Datagrams are taken from the client's address only, and from the port that came first.
/// </summary>
internal sealed class Socks5Association : IDisposable
{
    private readonly TcpSocket _control;
    private readonly UdpService _service;
    private readonly ILogger _logger;
    private readonly DatagramSocket _socket;
    private readonly IPAddress _clientAddress;
    private SocketAddress? _client;

    /// <param name="control">The client's connection; not owned.</param>
    /// <param name="service">Opens streams.</param>
    /// <param name="logger">Where flows that failed are told.</param>
    /// <exception cref="SocketException">There is no port.</exception>
    public Socks5Association(TcpSocket control, UdpService service, ILogger logger)
    {
        _control = control;
        _service = service;
        _logger = logger;
        _clientAddress = Plain(Known(control.RemoteEndPoint).Address);
        IPAddress local = Plain(Known(control.LocalEndPoint).Address);
        _socket = new DatagramSocket(local.AddressFamily);
        _socket.Bind(new IPEndPoint(local, 0));
    }

    /// <summary>Where the client sends its datagrams.</summary>
    public IPEndPoint RelayEndPoint => _socket.LocalEndPoint;

    /// <summary>Runs until the client's connection ends.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task relay = RelayAsync(ended.Token);
        await WaitForEndAsync(ended.Token).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
        await relay.ConfigureAwait(false);
    }

    public void Dispose() => _socket.Dispose();

    private static IPEndPoint Known(IPEndPoint? address) => address ?? throw new SocketException((int)SocketError.NotConnected);

    /// <summary>The connection says nothing more; what it says all the same means nothing.</summary>
    private async Task WaitForEndAsync(CancellationToken stop)
    {
        byte[] ignored = new byte[64];
        try
        {
            var exchange = new SocketExchange(_control);
            while (await exchange.ReceiveAsync(ignored, stop).ConfigureAwait(false) != 0)
            {
                // Ignored.
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // An end like any other.
        }
    }

    private async Task RelayAsync(CancellationToken stop)
    {
        var flows = new UdpFlows<Target>(_service, _logger, stop);
        var from = new SocketAddress(_clientAddress.AddressFamily);
        try
        {
            while (true)
            {
                await _socket.WaitAsync(stop).ConfigureAwait(false);
                TakeAll(flows, from);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The association ended.
        }
    }

    private void TakeAll(UdpFlows<Target> flows, SocketAddress from)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(UdpFraming.MaximumDatagram);
        for (int length = _socket.TryReceive(buffer, from); length >= 0; length = _socket.TryReceive(buffer, from))
        {
            if (Take(flows, from, buffer.AsSpan(0, length)) is { } drop)
                _service.Meter.Drop(drop);
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    private UdpDrop? Take(UdpFlows<Target> flows, SocketAddress from, ReadOnlySpan<byte> datagram)
    {
        if (!IsClient(from))
            return UdpDrop.Stranger;
        if (Socks5Datagram.Read(datagram, out Target target, out int headerLength) is { } drop)
            return drop;
        _client ??= DatagramSocket.Copy(from);
        if (!flows.TrySend(target, datagram[headerLength..]))
            Begin(flows, target, datagram[..headerLength].ToArray(), datagram[headerLength..]);
        return null;
    }

    private bool IsClient(SocketAddress from) => _client is not null
        ? _client.Equals(from)
        : ((IPEndPoint)_socket.LocalEndPoint.Create(from)).Address.Equals(_clientAddress);

    /// <summary>What comes back is from the target as the client named it.</summary>
    private void Begin(UdpFlows<Target> flows, Target target, byte[] header, ReadOnlySpan<byte> datagram) =>
        flows.Begin(target, target.Port, cancel => _service.Opener.OpenUdpAsync(target, cancel), reply => ReplyAsync(header, reply), datagram);

    private async ValueTask<bool> ReplyAsync(byte[] header, ReadOnlyMemory<byte> data)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(header.Length + data.Length);
        try
        {
            header.CopyTo(buffer, 0);
            data.CopyTo(buffer.AsMemory(header.Length));
            return await _socket.TrySendAsync(buffer.AsMemory(0, header.Length + data.Length), _client!).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>A listener for both families sees IPv4 clients in IPv6's clothes.</summary>
    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
