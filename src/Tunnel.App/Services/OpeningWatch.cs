using Tunnel.Links.Sockets;

namespace Tunnel.App.Services;

/// <summary>
/// Notices that an application leaves while its stream is being opened: nobody needs the stream any more, and thousands that wait for
/// targets that do not answer would keep others out. It observes the socket until it is disposed.
/// </summary>
internal sealed class OpeningWatch : ISocketObserver, IDisposable
{
    private readonly TcpSocket _socket;
    private readonly bool _endIsLeaving;
    private readonly ISocketObserver? _before;
    private readonly CancellationTokenSource _over = new();
    private readonly CancellationTokenRegistration _stopping;

    /// <param name="socket">The application's.</param>
    /// <param name="endIsLeaving">
    /// Whoever says all before it was answered has left, unless there is something to pass on; false: it may only have nothing to say.
    /// </param>
    /// <param name="stop">Ends the opening as well.</param>
    public OpeningWatch(TcpSocket socket, bool endIsLeaving, CancellationToken stop)
    {
        _socket = socket;
        _endIsLeaving = endIsLeaving;
        _before = socket.Observer;
        _stopping = stop.UnsafeRegister(static over => ((CancellationTokenSource)over!).Cancel(), _over);
        socket.Observer = this;
        OnReady();
    }

    /// <summary>Cancelled when the application has left.</summary>
    public CancellationToken Over => _over.Token;

    public void OnReady()
    {
        if (HasLeft(_socket, _endIsLeaving))
            _over.Cancel();
    }

    /// <summary>Nobody waits for the socket's stream any more.</summary>
    /// <inheritdoc cref="OpeningWatch(TcpSocket, bool, CancellationToken)"/>
    public static bool HasLeft(TcpSocket socket, bool endIsLeaving) => socket.IsGone || (endIsLeaving && socket.HasEnded && socket.IsOver);

    public void Dispose()
    {
        _stopping.Dispose();
        _socket.Observer = _before;
    }
}
