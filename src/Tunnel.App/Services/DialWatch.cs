using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;

namespace Tunnel.App.Services;

/// <summary>Notices that the stream for which a target is dialled was broken off: nobody waits for the dial any more.</summary>
internal sealed class DialWatch(TunnelStream stream) : IStreamObserver
{
    private readonly CancellationTokenSource _over = new();

    /// <summary>Ends the dial.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Waits for the dial. One that has ended at once, as most within a host do, costs nothing.</summary>
    /// <exception cref="OperationCanceledException">The stream was broken off, or everything stops.</exception>
    public async ValueTask<TcpSocket> AwaitAsync(ValueTask<TcpSocket> dialing, CancellationToken stop)
    {
        if (dialing.IsCompleted)
            return await dialing.ConfigureAwait(false);
        using CancellationTokenRegistration stopping = stop.UnsafeRegister(static over => ((CancellationTokenSource)over!).Cancel(), _over);
        stream.Observe(this);
        // What came before is not told again.
        OnReadable();
        return await dialing.ConfigureAwait(false);
    }

    public void OnReadable()
    {
        if (!stream.IsOpen)
            _over.Cancel();
    }

    public void OnWritten()
    {
        // Nothing has been written.
    }
}
