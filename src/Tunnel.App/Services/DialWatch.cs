using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>Notices that the stream for which a target is dialled was broken off: nobody waits for the dial any more.</summary>
internal sealed class DialWatch : IStreamObserver
{
    private readonly TunnelStream _stream;
    private readonly CancellationTokenSource _over = new();

    private DialWatch(TunnelStream stream) => _stream = stream;

    /// <summary>Dials for a stream. What is through at once, as most within a host is, costs nothing but its socket.</summary>
    /// <inheritdoc cref="Dialer.DialAsync"/>
    /// <exception cref="OperationCanceledException">The stream was broken off, or everything stops.</exception>
    public static ValueTask<TcpSocket> DialAsync(Dialer dialer, Target target, TunnelStream stream, CancellationToken stop)
    {
        BegunDial begun = dialer.Begin(target);
        return begun.IsConnected ? dialer.FinishAsync(target, begun, stop) : new DialWatch(stream).AwaitAsync(dialer, target, begun, stop);
    }

    public void OnReadable()
    {
        if (!_stream.IsOpen)
            _over.Cancel();
    }

    public void OnWritten()
    {
        // Nothing has been written.
    }

    private async ValueTask<TcpSocket> AwaitAsync(Dialer dialer, Target target, BegunDial begun, CancellationToken stop)
    {
        using CancellationTokenRegistration stopping = stop.UnsafeRegister(static over => ((CancellationTokenSource)over!).Cancel(), _over);
        _stream.Observe(this);
        // What came before is not told again.
        OnReadable();
        return await dialer.FinishAsync(target, begun, _over.Token).ConfigureAwait(false);
    }
}
