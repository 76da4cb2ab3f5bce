using System.Diagnostics;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Pool;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>
/// One try to open a stream to a target: on the session whose turn it is, or that comes up. When that is lost before it has answered, another
/// takes its place; when whoever wants the stream has left, it is given up. It goes on by itself, told by the stream and the application's
/// socket: what waits is this object, and none for each wait.
/// </summary>
internal sealed class StreamOpening : TurnTaker, IStreamObserver, ISocketObserver, IPendingOpen
{
    private readonly StreamOpener _opener;
    private readonly TargetHeaders _headers;
    private readonly IOpeningOwner _owner;
    private readonly long _giveUpAt;
    private Activity? _trace;
    private CancellationTokenRegistration _stopping;
    private ISocketObserver? _socketsOther;
    private CancellationTokenSource? _waiting;
    private TunnelStream? _found;
    private Exception? _notFound;
    private TunnelStream? _stream;
    private ReadOnlyMemory<byte> _unsent;
    private long _askedAt;
    private bool _tellsResult;
    private volatile bool _isWriting;
    private volatile bool _isMoved;
    private volatile bool _isUnwanted;
    private bool _hasBegun;
    private bool _isAnswered;
    private bool _isOver;

    /// <param name="opener">Whose.</param>
    /// <param name="headers">What is asked for.</param>
    /// <param name="owner">Told how it ended.</param>
    public StreamOpening(StreamOpener opener, TargetHeaders headers, IOpeningOwner owner)
    {
        (_opener, _headers, _owner) = (opener, headers, owner);
        _giveUpAt = Environment.TickCount64 + (long)opener.Timeout.TotalMilliseconds;
    }

    /// <summary>Takes over from one whose stream was lost. A new one, as what the lost stream tells may still be on its way to the old.</summary>
    private StreamOpening(StreamOpening lost)
    {
        (_opener, _headers, _owner, _giveUpAt) = (lost._opener, lost._headers, lost._owner, lost._giveUpAt);
        (_trace, _socketsOther) = (lost._trace, lost._socketsOther);
        (Socket, EndIsLeaving, Stop, Around) = (lost.Socket, lost.EndIsLeaving, lost.Stop, lost.Around);
    }

    /// <summary>The application's, which is watched meanwhile: when it has left, nobody needs the stream. Null: nothing is.</summary>
    public TcpSocket? Socket { get; init; }

    /// <inheritdoc cref="OpeningWatch(TcpSocket, bool, CancellationToken)" path="/param[@name='endIsLeaving']"/>
    public bool EndIsLeaving { get; init; }

    /// <summary>Gives up.</summary>
    public CancellationToken Stop { get; init; }

    /// <summary>What holds this in traces, and ends with it; null as a rule.</summary>
    public Activity? Around { get; init; }

    TunnelStream IPendingOpen.Stream => _stream!;

    /// <summary>Begins. The owner may be told before this returns.</summary>
    public void Start()
    {
        _trace = TunnelActivities.Open(_headers.Target, "tcp");
        _trace?.Detach();
        _socketsOther = Socket?.Observer;
        Ask();
    }

    void ISocketObserver.OnReady()
    {
        if (Socket!.HasEnded)
            Ask();
    }

    void IStreamObserver.OnReadable() => Ask();

    void IStreamObserver.OnWritten()
    {
        _isWriting = false;
        Ask();
    }

    void IPendingOpen.Move()
    {
        _isMoved = true;
        Ask();
    }

    protected override void Turn()
    {
        if (!_hasBegun)
            Observe();
        if (!_isOver && IsWanted() && HasStream())
            GoOn(_stream!);
        // Not what has its answer meanwhile, or has been handed over. Which wakes this.
        if (!_isOver && _isMoved && !_isAnswered)
            _stream!.Close();
    }

    protected override void Break(Exception defect)
    {
        if (_isOver)
            DefectLog.OfProcess.Met(defect, "the opening of a stream");
        else
            Fail(defect);
    }

    /// <summary>Within the first turn: what is told meanwhile waits for the next, and finds all in place that it may take back.</summary>
    private void Observe()
    {
        _hasBegun = true;
        _stopping = Stop.UnsafeRegister(static opening => ((StreamOpening)opening!).Leave(), this);
        if (Socket is not null)
            Socket.Observer = this;
    }

    private void Leave()
    {
        _isUnwanted = true;
        Ask();
    }

    /// <summary>False when whoever wanted it has left.</summary>
    private bool IsWanted()
    {
        if (!_isUnwanted && (Socket is null || !OpeningWatch.HasLeft(Socket, EndIsLeaving)))
            return true;
        if (_waiting is not null && _found is null && _notFound is null)
            // It may yet find a session, with a stream that is to be closed.
            _waiting.Cancel();
        else
            Fail(new OperationCanceledException("nobody wants the stream any more", Stop));
        return false;
    }

    /// <summary>False while no session is up, or when it has failed.</summary>
    private bool HasStream()
    {
        if (_stream is not null)
            return true;
        try
        {
            if (_waiting is null && _opener.Pool.TryOpenStream() is { } stream)
                Begin(stream);
            else if (_waiting is null)
                _ = WaitForSessionAsync(_waiting = new CancellationTokenSource());
            else if (_found is not null)
                Begin(_found);
            else if (_notFound is not null)
                Fail(_notFound);
        }
        catch (TunnelUnavailableException e)
        {
            Fail(e);
        }

        return _stream is not null;
    }

    private async Task WaitForSessionAsync(CancellationTokenSource waiting)
    {
        try
        {
            _found = await _opener.Pool.OpenStreamAsync(waiting.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _notFound = e;
        }

        Ask();
    }

    private void Begin(TunnelStream stream)
    {
        _stream = stream;
        // Before anything can go wrong: by this the server's trace of it is found.
        _trace?.SetStream(stream);
        stream.Use = _headers.Use;
        if (_opener.Format is null)
            return;
        stream.Observe(this);
        _opener.Pool.Await(this);
        _tellsResult = stream.Session.PeerCapabilities.HasFlag(Capabilities.DialResult);
        _unsent = _tellsResult ? _headers.Dial : _headers.Plain;
        _askedAt = Stopwatch.GetTimestamp();
    }

    /// <summary>Says where the stream goes, and waits for the dial's result if the peer tells it.</summary>
    private void GoOn(TunnelStream stream)
    {
        if (!TrySend(stream) || (!_tellsResult && stream.Problem() is not null))
            Lose(stream.WhyClosed());
        else if (_tellsResult && !_isAnswered)
            TakeAnswer(stream);
        else if (!_isWriting)
            // Whoever answered has read it all; but whoever has the stream next must not be told of this write.
            Succeed(stream);
    }

    /// <summary>False when the stream takes nothing any more.</summary>
    private bool TrySend(TunnelStream stream)
    {
        while (!_isWriting && !_unsent.IsEmpty)
        {
            // In frames of its own.
            ReadOnlyMemory<byte> part = _unsent[.._headers.FirstPart(_unsent.Span, _tellsResult)];
            _unsent = _unsent[part.Length..];
            _isWriting = true;
            if (!stream.TryBeginWrite(part))
                return false;
        }

        return true;
    }

    private void TakeAnswer(TunnelStream stream)
    {
        byte answer = 0;
        int count = stream.TryRead(new Span<byte>(ref answer), out bool broken);
        if (count < 0)
            return;
        _isAnswered = true;
        IOException? problem = broken ? stream.WhyClosed() : Judge(stream, count == 0 ? DialResult.Failed : (DialResult)answer);
        if (problem is null)
            GoOn(stream);
        else
            Lose(problem);
    }

    /// <summary>What the server said; null when the target is there.</summary>
    private DialException? Judge(TunnelStream stream, DialResult result)
    {
        // An end without a word is not the server's when the stream was closed here, to be opened elsewhere.
        if (!_isMoved || result != DialResult.Failed)
            _opener.Dials.Count(Enum.IsDefined(result) ? result : DialResult.Failed, Stopwatch.GetElapsedTime(_askedAt));
        if (result == DialResult.Leaving)
            // The announcement may still be on its way.
            stream.Session.OnPeerDrains();
        return result == DialResult.Connected ? null : new DialException(_headers.Target, result);
    }

    /// <summary>Nothing of the application's has been sent: where the session is to blame, another will do, for as long as there is time.</summary>
    private void Lose(Exception problem)
    {
        bool isMoved = _isMoved && problem is not DialException { Result: not DialResult.Failed };
        if (!isMoved && problem is not (TunnelClosedException or DialException { Result: DialResult.Leaving }))
            Fail(problem);
        else if (Environment.TickCount64 < _giveUpAt)
            OpenAnother();
        else
            Fail(isMoved ? new TunnelUnavailableException($"no server has answered within {_opener.Timeout.TotalSeconds:0.#} s") : problem);
    }

    private void OpenAnother()
    {
        End();
        _stream!.Close();
        new StreamOpening(this).Ask();
    }

    private void Succeed(TunnelStream stream)
    {
        End();
        EndTraces();
        stream.TellSetUp();
        _owner.OnOpened(this, stream);
    }

    private void Fail(Exception why)
    {
        End();
        EndTraces(why);
        (_stream ?? _found)?.Close();
        _owner.OnFailed(this, why);
    }

    private void End()
    {
        _isOver = true;
        if (_stream is not null && _opener.Format is not null)
            _opener.Pool.Forget(this);
        // Whoever stops everything may be at this very opening, and is not to be waited for.
        _stopping.Unregister();
        if (Socket is not null)
            Socket.Observer = _socketsOther;
    }

    private void EndTraces(Exception? why = null)
    {
        _trace.EndDetached(why);
        Around.EndDetached(why);
    }
}

/// <summary>Who wants a stream. Told once, on whatever thread that happens.</summary>
internal interface IOpeningOwner
{
    /// <summary>With peers that say how the dial went, the target is there; with others the server was asked, no more.</summary>
    /// <param name="opening">Which, or the one that took its place.</param>
    /// <param name="stream">The owner's from now on.</param>
    void OnOpened(StreamOpening opening, TunnelStream stream);

    /// <param name="opening">Which, or the one that took its place.</param>
    /// <param name="why">As <see cref="StreamOpener.OpenAsync"/> throws it.</param>
    void OnFailed(StreamOpening opening, Exception why);
}
