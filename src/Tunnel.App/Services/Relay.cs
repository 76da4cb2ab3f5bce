using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>
/// Carries bytes between a socket and a stream, both ways, until both directions have ended or either breaks. Nothing is read that
/// cannot be passed on, so a slow reader at one end slows the writer at the other. A direction that is quiet holds no buffer.
/// </summary>
public sealed class Relay : ISocketObserver, IStreamObserver, IPumpOwner, IReactorWork
{
    /// <summary>smux has no word for "I read no more": after the peer's FIN, data that is stuck this long goes nowhere.</summary>
    private static readonly TimeSpan StuckAfterFinish = TimeSpan.FromSeconds(30);

    /// <summary>After the peer's FIN, a socket that says nothing and does not close either is given up after this.</summary>
    private static readonly TimeSpan QuietAfterFinish = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(250);

    private readonly TcpSocket _socket;
    private readonly TunnelStream _stream;
    private readonly OutwardPump _outward;
    private readonly InwardPump _inward;
    private readonly bool _isClient;
    private readonly bool _peerHalfCloses;
    private IRelayOwner? _owner;
    private CancellationTokenRegistration _stopping;
    private Exception? _defect;
    private volatile bool _over;
    private int _ends;

    /// <param name="socket">Owned from now on.</param>
    /// <param name="stream">Owned from now on.</param>
    /// <param name="isClient">The socket is the application's; false: it is the target's.</param>
    public Relay(TcpSocket socket, TunnelStream stream, bool isClient)
    {
        _socket = socket;
        _stream = stream;
        _outward = new OutwardPump(socket, stream, this);
        _inward = new InwardPump(socket, stream, this);
        _peerHalfCloses = stream.Session.PeerCapabilities.HasFlag(Capabilities.HalfClose | Capabilities.Reset);
        _isClient = isClient;
    }

    /// <summary>What has come to its end.</summary>
    [Flags]
    private enum Ends
    {
        Outward = 1,
        Inward = 2,
        Both = Outward | Inward,
        Broken = 4,
    }

    /// <summary>
    /// How long the reply must be quiet before the end of an application's data is passed on to a peer that takes FIN as the end of
    /// both directions (smux before 1.5.57). A target has said all it will, so its end is passed on at once.
    /// </summary>
    internal TimeSpan ReplyQuiet { get; init; } = TimeSpan.FromSeconds(3);

    private Ends Ended => (Ends)Volatile.Read(ref _ends);

    /// <summary>
    /// Begins, and goes on by itself: thousands that say nothing now cost no task each that waits for their end.
    /// </summary>
    /// <param name="owner">Told of the end.</param>
    /// <param name="stop">Breaks it off.</param>
    /// <param name="first">Said before anything of the socket's; must never change.</param>
    public void Start(IRelayOwner owner, CancellationToken stop, ReadOnlyMemory<byte> first = default)
    {
        _owner = owner;
        _stopping = stop.UnsafeRegister(static relay => ((Relay)relay!).Break(), this);
        // The stream first: the socket is tried at once, by this thread or its own, and whoever waits for a write that nobody was told of waits
        // for ever.
        _stream.Observe(this);
        if (!first.IsEmpty)
            _outward.Say(first);
        _socket.Observe(this);
        // The stream, too, may have come with something already, or either may have ended.
        _inward.Ask();
        _outward.Ask();
    }

    /// <summary>Runs to the end; never throws for what the network does, but for a defect.</summary>
    public Task RunAsync(CancellationToken stop, ReadOnlyMemory<byte> first = default)
    {
        var end = new RelayEnd();
        Start(end, stop, first);
        return end.Task;
    }

    void ISocketObserver.OnReady()
    {
        // An end that this brings has looked for itself.
        bool hadSaidAll = Ended == Ends.Outward;
        _inward.OnReady();
        _outward.OnReady();
        if (hadSaidAll && IsLeft())
            Break();
        else if (_socket.HasFailed)
            _socket.Reactor.Post(this);
    }

    /// <summary>
    /// The socket broke. What it had said before is passed on as long as that takes no waiting: while a write waits for the peer nothing is read
    /// that would tell of the break, and the peer would keep its end for as long as it is slow.
    /// </summary>
    void IReactorWork.Run()
    {
        // A turn's end is between two of these: what could leave has left.
        if (_outward.IsWriting)
            Break();
        else if ((Ended & (Ends.Outward | Ends.Broken)) == 0)
            _socket.Reactor.Post(this);
    }

    void IStreamObserver.OnReadable() => _inward.Ask();

    void IStreamObserver.OnWritten() => _outward.OnWritten();

    void IPumpOwner.OnEnded(TurnTaker pump)
    {
        bool outward = ReferenceEquals(pump, _outward);
        if (End(outward ? Ends.Outward : Ends.Inward, out bool first))
            Finish();
        else if (IsLeft())
            Break();
        else if (first && outward)
            OnSocketFinished();
        else if (first)
            OnPeerFinished();
    }

    void IPumpOwner.OnBroken(TurnTaker pump, Exception? defect)
    {
        if (defect is not null)
            Interlocked.CompareExchange(ref _defect, defect, null);
        bool both = End(ReferenceEquals(pump, _outward) ? Ends.Outward : Ends.Inward, out _);
        // The other direction ends of that.
        Break();
        if (both)
            Finish();
    }

    /// <summary>
    /// The socket had said all, and then it broke: nothing is read any more that would say so, and if the stream is quiet nothing is sent
    /// either. The socket is asked first: one that closed in order is no more, but by then the stream's end has been noted.
    /// </summary>
    private bool IsLeft() => Ended == Ends.Outward && _socket.IsGone && Ended == Ends.Outward;

    /// <summary>The socket has said all; passes that on once the reply is over or has been quiet for the linger time.</summary>
    private void OnSocketFinished()
    {
        if (_isClient && !_peerHalfCloses)
            _ = LingerAsync();
        else
            _stream.CloseWrite();
    }

    private async Task LingerAsync()
    {
        while (!_over && Since(_inward.ReceivedAt) < ReplyQuiet)
            await Task.Delay(WatchInterval).ConfigureAwait(false);
        _stream.CloseWrite();
    }

    /// <summary>The stream's peer has said all; what still goes to it must get there. A peer of ours says when it reads no more.</summary>
    private void OnPeerFinished()
    {
        _socket.ShutdownSend();
        if (!_peerHalfCloses)
            _ = WatchAsync();
    }

    private async Task WatchAsync()
    {
        while (!_over)
        {
            await Task.Delay(WatchInterval).ConfigureAwait(false);
            if (Since(_outward.SentAt) > (_outward.IsWriting ? StuckAfterFinish : QuietAfterFinish))
                Break();
        }
    }

    private static TimeSpan Since(long at) => TimeSpan.FromMilliseconds(Environment.TickCount64 - at);

    /// <summary>True to whoever ends the second of the two directions.</summary>
    /// <param name="direction">One of the two.</param>
    /// <param name="first">It is the first that ends, and in order.</param>
    private bool End(Ends direction, out bool first)
    {
        var before = (Ends)Interlocked.Or(ref _ends, (int)direction);
        first = before == 0;
        return (before & Ends.Both) == (Ends.Both & ~direction);
    }

    /// <summary>Ends both directions; whoever is at the socket sees a reset, not an orderly end in the middle of the data.</summary>
    private void Break()
    {
        if (((Ends)Interlocked.Or(ref _ends, (int)Ends.Broken)).HasFlag(Ends.Broken))
            return;
        // First the socket: closing the stream ends the other direction, in order if its peer had said all.
        _socket.Reset();
        _stream.Close();
    }

    /// <summary>Both directions are over. Closing tells the socket's other end, too, that nothing more comes.</summary>
    private void Finish()
    {
        if (!Ended.HasFlag(Ends.Broken))
            _stream.CloseWrite();
        _stream.Close();
        _socket.Dispose();
        _over = true;
        // Whoever stops everything may be at this very relay, and is not to be waited for.
        _stopping.Unregister();
        _owner!.OnOver(_defect);
    }
}

/// <summary>Whose relays they are.</summary>
public interface IRelayOwner
{
    /// <summary>One has ended; its socket and its stream are closed. Called on whatever thread that happened, once for each.</summary>
    /// <param name="defect">What went wrong with the relay itself, not with the network; null as a rule.</param>
    void OnOver(Exception? defect);
}

/// <summary>The end of one relay as a task.</summary>
internal sealed class RelayEnd : IRelayOwner
{
    private readonly TaskCompletionSource _over = new();

    public Task Task => _over.Task;

    public void OnOver(Exception? defect)
    {
        if (defect is not null)
            _over.TrySetException(defect);
        else
            _over.TrySetResult();
    }
}
