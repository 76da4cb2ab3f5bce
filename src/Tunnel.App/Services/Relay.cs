using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>
/// Carries bytes between a socket and a stream, both ways, until both directions have ended or either breaks. Nothing is read that
/// cannot be passed on, so a slow reader at one end slows the writer at the other. A direction that is quiet holds no buffer.
/// </summary>
public sealed class Relay : ISocketObserver, IStreamObserver
{
    /// <summary>smux has no word for "I read no more": after the peer's FIN, data that is stuck this long goes nowhere.</summary>
    private static readonly TimeSpan StuckAfterFinish = TimeSpan.FromSeconds(30);

    /// <summary>After the peer's FIN, a socket that says nothing and does not close either is given up after this.</summary>
    private static readonly TimeSpan QuietAfterFinish = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long the reply must be quiet before the end of an application's data is passed on to a peer that takes FIN as the end of
    /// both directions (smux before 1.5.57). A target has said all it will, so its end is passed on at once.
    /// </summary>
    private static readonly TimeSpan ReplyQuiet = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(250);

    private readonly TcpSocket _socket;
    private readonly TunnelStream _stream;
    private readonly OutwardPump _outward;
    private readonly InwardPump _inward;
    private readonly TimeSpan _finishLinger;
    private readonly bool _peerHalfCloses;
    private int _broken;

    /// <param name="socket">Owned from now on.</param>
    /// <param name="stream">Owned from now on.</param>
    /// <param name="isClient">The socket is the application's; false: it is the target's.</param>
    public Relay(TcpSocket socket, TunnelStream stream, bool isClient)
    {
        _socket = socket;
        _stream = stream;
        _outward = new OutwardPump(socket, stream, Break);
        _inward = new InwardPump(socket, stream, Break);
        _peerHalfCloses = stream.Session.PeerCapabilities.HasFlag(Capabilities.HalfClose | Capabilities.Reset);
        _finishLinger = isClient && !_peerHalfCloses ? ReplyQuiet : TimeSpan.Zero;
    }

    /// <summary>Runs to the end; never throws for what the network does, but for a defect.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using CancellationTokenRegistration registration = cancel.UnsafeRegister(static relay => ((Relay)relay!).Break(), this);
        _socket.Observer = this;
        _stream.Observe(this);
        // Both may have come with something already.
        _inward.Ask();
        _outward.Ask();
        Task outward = _outward.Ended, inward = _inward.Ended;
        try
        {
            await Task.WhenAny(outward, inward).ConfigureAwait(false);
            if (_broken == 0 && !inward.IsCompleted)
                await LingerAsync(inward).ConfigureAwait(false);
            else if (_broken == 0)
                await WatchAsync(outward).ConfigureAwait(false);
            await Task.WhenAll(outward, inward).ConfigureAwait(false);
        }
        finally
        {
            _stream.Close();
            _socket.Dispose();
        }
    }

    void ISocketObserver.OnReady()
    {
        _inward.OnReady();
        _outward.OnReady();
    }

    void IStreamObserver.OnReadable() => _inward.Ask();

    void IStreamObserver.OnWritten() => _outward.OnWritten();

    /// <summary>The socket has said all; passes that on once the reply is over or has been quiet for the linger time.</summary>
    private async Task LingerAsync(Task inward)
    {
        while (!inward.IsCompleted && Since(_inward.ReceivedAt) < _finishLinger)
            await Task.WhenAny(inward, Task.Delay(WatchInterval)).ConfigureAwait(false);
        _stream.CloseWrite();
    }

    /// <summary>The stream's peer has said all; what still goes to it must get there.</summary>
    private async Task WatchAsync(Task outward)
    {
        // A peer of ours says when it reads no more.
        if (_peerHalfCloses)
            await outward.ConfigureAwait(false);
        while (!outward.IsCompleted)
        {
            await Task.WhenAny(outward, Task.Delay(WatchInterval)).ConfigureAwait(false);
            if (Since(_outward.SentAt) > (_outward.IsWriting ? StuckAfterFinish : QuietAfterFinish))
                Break();
        }

        if (_broken == 0)
            _stream.CloseWrite();
    }

    private static TimeSpan Since(long at) => TimeSpan.FromMilliseconds(Environment.TickCount64 - at);

    /// <summary>Ends both directions; whoever is at the socket sees a reset, not an orderly end in the middle of the data.</summary>
    private void Break()
    {
        if (Interlocked.Exchange(ref _broken, 1) != 0)
            return;
        // First the socket: a closed stream looks like the peer's orderly end.
        _socket.Reset();
        _stream.Close();
    }
}
