using System.Buffers;
using System.Threading.Channels;
using Tunnel.App.Runtime;

namespace Tunnel.App.Services;

/// <summary>
/// A client's datagrams to one target, through a stream of their own: what applications send waits in a short queue and is dropped
/// when that is full, so that a slow flow holds up no other; what comes back is handed on.
/// </summary>
internal sealed class UdpFlow
{
    private const int NotEnded = -1;

    private readonly UdpMeter _meter;
    private readonly UdpFlowRoom _room;
    private readonly Channel<Waiting> _queue;
    private readonly CancellationTokenSource _ended = new();
    private int _end = NotEnded;

    /// <param name="limits">Its bounds.</param>
    /// <param name="port">Where its datagrams go.</param>
    /// <param name="meter">Where it counts.</param>
    /// <param name="room">Which it enters and leaves by others' doing; told of each datagram.</param>
    public UdpFlow(UdpLimits limits, int port, UdpMeter meter, UdpFlowRoom room)
    {
        (_meter, _room) = (meter, room);
        _queue = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(limits.Queue) { SingleReader = true });
        Activity = new UdpActivity(limits, port, Environment.TickCount64);
        Place = new UdpFlowPlace(this);
    }

    public UdpActivity Activity { get; }

    /// <summary>For its room.</summary>
    internal UdpFlowPlace Place { get; }

    /// <summary>Nothing that is sent now would get anywhere.</summary>
    public bool HasEnded => Volatile.Read(ref _end) != NotEnded;

    /// <summary>Takes a copy of a datagram to send, or drops and counts it.</summary>
    public void Send(ReadOnlySpan<byte> datagram)
    {
        Activity.CountSent(Environment.TickCount64);
        _room.Touch(this);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(datagram.Length);
        datagram.CopyTo(buffer);
        if (_queue.Writer.TryWrite(new Waiting(buffer, datagram.Length)))
            return;
        ArrayPool<byte>.Shared.Return(buffer);
        _meter.Drop(UdpDrop.QueueFull);
    }

    /// <summary>Ends it, whatever it is at. The first reason is the one that counts.</summary>
    public void End(UdpFlowEnd why)
    {
        if (Interlocked.CompareExchange(ref _end, (int)why, NotEnded) == NotEnded)
            _ended.Cancel();
    }

    /// <summary>Runs until it is idle, either end closes it, or it is ended.</summary>
    /// <param name="open">Opens the stream.</param>
    /// <param name="deliver">Hands on what came back; false when that was not possible.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="IOException">The stream could not be opened, or it or its session ended.</exception>
    /// <exception cref="OperationCanceledException">It was ended before its stream was open.</exception>
    public async Task RunAsync(
        Func<CancellationToken, ValueTask<OpenedUdp>> open, Func<ReadOnlyMemory<byte>, ValueTask<bool>> deliver, CancellationToken cancel)
    {
        _meter.FlowBegan();
        using CancellationTokenRegistration stopping = cancel.UnsafeRegister(static flow => ((UdpFlow)flow!).End(UdpFlowEnd.Closed), this);
        try
        {
            OpenedUdp opened = await open(_ended.Token).ConfigureAwait(false);
            using var idle = new IdleWatch(() => Activity.EndsAt, () => End(Activity.IsAnswered ? UdpFlowEnd.Answered : UdpFlowEnd.Idle));
            using CancellationTokenRegistration closing = _ended.Token.Register(opened.Stream.Close);
            await Task.WhenAll(OutwardAsync(opened), InwardAsync(opened, deliver, idle)).ConfigureAwait(false);
        }
        finally
        {
            _queue.Writer.TryComplete();
            Discard();
            Interlocked.CompareExchange(ref _end, (int)UdpFlowEnd.Closed, NotEnded);
            _meter.FlowEnded((UdpFlowEnd)_end);
        }
    }

    private async Task OutwardAsync(OpenedUdp opened)
    {
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (_queue.Reader.TryRead(out Waiting waiting))
                await SendAsync(opened, waiting).ConfigureAwait(false);
        }
    }

    private async ValueTask SendAsync(OpenedUdp opened, Waiting waiting)
    {
        try
        {
            if (await opened.Framing.SendAsync(opened.Stream, waiting.Buffer.AsMemory(0, waiting.Length)).ConfigureAwait(false))
                _meter.CountToTunnel();
            else
                _meter.Drop(UdpDrop.Impossible);
        }
        catch (IOException)
        {
            // The other direction sees the end of the stream, and ends this one.
            _meter.Drop(UdpDrop.NoStream);
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
            await UdpPump.FromStreamAsync(opened, deliver, () => OnReceived(idle), _meter).ConfigureAwait(false);
        }
        finally
        {
            opened.Stream.Close();
            _queue.Writer.TryComplete();
        }
    }

    private void OnReceived(IdleWatch idle)
    {
        Activity.CountReceived(Environment.TickCount64);
        _room.Touch(this);
        // The end has come nearer.
        if (Activity.IsAnswered)
            idle.Look();
    }

    private void Discard()
    {
        while (_queue.Reader.TryRead(out Waiting waiting))
        {
            ArrayPool<byte>.Shared.Return(waiting.Buffer);
            _meter.Drop(UdpDrop.NoStream);
        }
    }

    private readonly record struct Waiting(byte[] Buffer, int Length);
}

/// <summary>A stream that carries datagrams, its header sent or read.</summary>
public readonly record struct OpenedUdp(TunnelStream Stream, UdpFraming Framing);
