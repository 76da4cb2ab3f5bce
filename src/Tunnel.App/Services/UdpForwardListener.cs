using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Tunnel.App.Services;

/// <summary>A local UDP port whose datagrams all go to one target, sent there by the other end: a stream for each of its clients.</summary>
/// <param name="name">What it is called in logs.</param>
/// <param name="listen">Port 0 is any free one.</param>
/// <param name="port">Where whoever sends now reaches: exchanges with well-known ports are short.</param>
/// <param name="open">Opens a stream for the datagrams of an address.</param>
/// <param name="service">What it shares with others.</param>
/// <param name="logger">Where flows that failed are told.</param>
public sealed partial class UdpForwardListener(
    string name,
    IPEndPoint listen,
    Func<int> port,
    Func<IPEndPoint, CancellationToken, ValueTask<OpenedUdp>> open,
    UdpServing service,
    ILogger logger) : ILocalListener
{
    private readonly DatagramSocket _socket = new(listen.AddressFamily);
    private readonly IPEndPoint _wanted = listen;

    /// <inheritdoc/>
    public IPEndPoint LocalEndPoint { get; private set; } = listen;

    /// <summary>Nothing: datagrams have no end that one could wait for.</summary>
    public int Active => 0;

    /// <summary>Nothing to do: datagrams wait in the socket's buffer, not in a backlog.</summary>
    public void ListenAgain()
    {
    }

    /// <inheritdoc/>
    public void Bind()
    {
        _socket.Bind(_wanted);
        LocalEndPoint = _socket.LocalEndPoint;
        LogListening(logger, name, LocalEndPoint);
    }

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stop)
    {
        // A listener that a reload takes away takes its flows with it.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var flows = new UdpFlows<SocketAddress>(service, logger, ended.Token);
        var from = new SocketAddress(_wanted.AddressFamily);
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
            // Stopped.
        }

        await ended.CancelAsync().ConfigureAwait(false);
    }

    public void Dispose() => _socket.Dispose();

    private void TakeAll(UdpFlows<SocketAddress> flows, SocketAddress from)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(UdpFraming.MaximumDatagram);
        for (int length = _socket.TryReceive(buffer, from); length >= 0; length = _socket.TryReceive(buffer, from))
        {
            if (!flows.TrySend(from, buffer.AsSpan(0, length)))
                Begin(flows, DatagramSocket.Copy(from), buffer.AsSpan(0, length));
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    private void Begin(UdpFlows<SocketAddress> flows, SocketAddress client, ReadOnlySpan<byte> datagram) => flows.Begin(
        client, port(), cancel => open((IPEndPoint)_wanted.Create(client), cancel), reply => _socket.TrySendAsync(reply, client), datagram);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name} listens on {Address} for datagrams")]
    private static partial void LogListening(ILogger logger, string name, IPEndPoint address);
}
