using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Tunnel.App.Services;

/// <summary>
/// The server's side of a stream of datagrams: a socket of its own, connected to the target, so that nobody else's datagrams come in.
/// What comes faster than the tunnel takes it waits in the socket, and is dropped there by the system.
/// </summary>
/// <param name="opened">The stream.</param>
/// <param name="socket">The target's.</param>
/// <param name="idle">How long it may be silent. How much of that an exchange needs is for the end to know that the asker is at.</param>
/// <param name="meter">Where it counts.</param>
internal sealed class UdpRelay(OpenedUdp opened, DatagramSocket socket, TimeSpan idle, UdpMeter meter)
{
    private long _touchedAt = Environment.TickCount64;
    private bool _expired;

    /// <summary>Runs until it is idle, the peer closes the stream, or it is cancelled. Closes both.</summary>
    /// <exception cref="IOException">The session ended.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        meter.FlowBegan();
        using var watch = new IdleWatch(() => Volatile.Read(ref _touchedAt) + (long)idle.TotalMilliseconds, Expire);
        using CancellationTokenRegistration registration = cancel.Register(opened.Stream.Close);
        Task outward = FromSocketAsync();
        try
        {
            await UdpPump.FromStreamAsync(opened, socket.TrySendAsync, Touch, meter).ConfigureAwait(false);
        }
        finally
        {
            opened.Stream.Close();
            socket.Dispose();
            await outward.ConfigureAwait(false);
            meter.FlowEnded(Volatile.Read(ref _expired) ? UdpFlowEnd.Idle : UdpFlowEnd.Closed);
        }
    }

    private void Touch() => Volatile.Write(ref _touchedAt, Environment.TickCount64);

    private void Expire()
    {
        Volatile.Write(ref _expired, true);
        opened.Stream.Close();
    }

    private async Task FromSocketAsync()
    {
        var from = new SocketAddress(AddressFamily.InterNetworkV6);
        try
        {
            while (true)
            {
                await socket.WaitAsync(CancellationToken.None).ConfigureAwait(false);
                await PassOnAsync(from).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // The stream's side ends first, always, and ends this one.
        }
    }

    private async ValueTask PassOnAsync(SocketAddress from)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(UdpFraming.MaximumDatagram);
        try
        {
            for (int length = socket.TryReceive(buffer, from); length >= 0; length = socket.TryReceive(buffer, from))
            {
                Touch();
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
