using System.Buffers;
using System.Threading.Channels;
using Tunnel.App.Runtime;

namespace Tunnel.App.Services;

/// <summary>
/// A client's datagrams to one target, through a stream of their own: what applications send waits in a short queue and is dropped
/// when that is full, so that a slow flow holds up no other; what comes back is handed on.
/// </summary>
internal sealed class UdpFlow(UdpLimits limits, UdpMeter meter)
{
    private readonly Channel<Waiting> _queue = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(limits.Queue) { SingleReader = true });

    /// <summary>Takes a copy of a datagram to send, or drops and counts it.</summary>
    public void Send(ReadOnlySpan<byte> datagram)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(datagram.Length);
        datagram.CopyTo(buffer);
        if (_queue.Writer.TryWrite(new Waiting(buffer, datagram.Length)))
            return;
        ArrayPool<byte>.Shared.Return(buffer);
        meter.Drop(UdpDrop.QueueFull);
    }

    /// <summary>Runs until it is idle, either end closes it, or it is cancelled.</summary>
    /// <param name="open">Opens the stream.</param>
    /// <param name="deliver">Hands on what came back; false when that was not possible.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="IOException">The stream could not be opened, or it or its session ended.</exception>
    public async Task RunAsync(
        Func<CancellationToken, ValueTask<OpenedUdp>> open, Func<ReadOnlyMemory<byte>, ValueTask<bool>> deliver, CancellationToken cancel)
    {
        meter.FlowBegan();
        try
        {
            OpenedUdp opened = await open(cancel).ConfigureAwait(false);
            using var idle = new IdleWatch(limits.Idle, opened.Stream.Close);
            using CancellationTokenRegistration registration = cancel.Register(opened.Stream.Close);
            await Task.WhenAll(OutwardAsync(opened, idle), InwardAsync(opened, deliver, idle)).ConfigureAwait(false);
        }
        finally
        {
            _queue.Writer.TryComplete();
            Discard();
            meter.FlowEnded();
        }
    }

    private async Task OutwardAsync(OpenedUdp opened, IdleWatch idle)
    {
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (_queue.Reader.TryRead(out Waiting waiting))
                await SendAsync(opened, waiting, idle).ConfigureAwait(false);
        }
    }

    private async ValueTask SendAsync(OpenedUdp opened, Waiting waiting, IdleWatch idle)
    {
        idle.Touch();
        try
        {
            if (await opened.Framing.SendAsync(opened.Stream, waiting.Buffer.AsMemory(0, waiting.Length)).ConfigureAwait(false))
                meter.CountToTunnel();
            else
                meter.Drop(UdpDrop.Impossible);
        }
        catch (IOException)
        {
            // The other direction sees the end of the stream, and ends this one.
            meter.Drop(UdpDrop.NoStream);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(waiting.Buffer);
        }
    }

    private async Task InwardAsync(OpenedUdp opened, Func<ReadOnlyMemory<byte>, ValueTask<bool>> deliver, IdleWatch idle)
    {
        try
        {
            await UdpPump.FromStreamAsync(opened, deliver, idle, meter).ConfigureAwait(false);
        }
        finally
        {
            opened.Stream.Close();
            _queue.Writer.TryComplete();
        }
    }

    private void Discard()
    {
        while (_queue.Reader.TryRead(out Waiting waiting))
        {
            ArrayPool<byte>.Shared.Return(waiting.Buffer);
            meter.Drop(UdpDrop.NoStream);
        }
    }

    private readonly record struct Waiting(byte[] Buffer, int Length);
}

/// <summary>A stream that carries datagrams, its header sent or read.</summary>
public readonly record struct OpenedUdp(TunnelStream Stream, UdpFraming Framing);
