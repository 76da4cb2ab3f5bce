using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Tunnel.App.Services;

/// <summary>
/// The server's side of a stream of datagrams: a socket of its own, connected to the target, so that nobody else's datagrams come in.
/// What comes faster than the tunnel takes it waits in the socket, and is dropped there by the system.
/// </summary>
internal sealed class UdpRelay(OpenedUdp opened, DatagramSocket socket, TimeSpan idle, UdpMeter meter)
{
    /// <summary>Runs until it is idle, the peer closes the stream, or it is cancelled. Closes both.</summary>
    /// <exception cref="IOException">The session ended.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        meter.FlowBegan();
        using var watch = new IdleWatch(idle, opened.Stream.Close);
        using CancellationTokenRegistration registration = cancel.Register(opened.Stream.Close);
        Task outward = FromSocketAsync(watch);
        try
        {
            await UdpPump.FromStreamAsync(opened, socket.TrySendAsync, watch, meter).ConfigureAwait(false);
        }
        finally
        {
            opened.Stream.Close();
            socket.Dispose();
            await outward.ConfigureAwait(false);
            meter.FlowEnded();
        }
    }

    private async Task FromSocketAsync(IdleWatch watch)
    {
        var from = new SocketAddress(AddressFamily.InterNetworkV6);
        try
        {
            while (true)
            {
                await socket.WaitAsync(CancellationToken.None).ConfigureAwait(false);
                await PassOnAsync(from, watch).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // The stream's side ends first, always, and ends this one.
        }
    }

    private async ValueTask PassOnAsync(SocketAddress from, IdleWatch watch)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(UdpFraming.MaximumDatagram);
        try
        {
            for (int length = socket.TryReceive(buffer, from); length >= 0; length = socket.TryReceive(buffer, from))
            {
                watch.Touch();
                if (await opened.Framing.SendAsync(opened.Stream, buffer.AsMemory(0, length)).ConfigureAwait(false))
                    meter.CountToTunnel();
                else
                    meter.Drop(UdpDrop.Impossible);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
