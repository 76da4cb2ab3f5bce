namespace Tunnel.App.Runtime.Pool;

/// <summary>
/// Looks after a pool's connections: every tenth of a second while somebody waits (for a session, or for a peer's word about a stream),
/// every second while there is anything else to look after, and not at all while there is not. Whoever is waited for and says nothing is
/// nudged, so that its silence shows; what waits for a silent one is moved; sick sessions are replaced; names are looked up again.
/// </summary>
internal sealed class PoolWatch(ConnectionPool pool, PendingOpens pending, MovableStreams movable)
{
    private const int HurriedStep = 100;
    private const int Step = 1000;

    /// <summary>Milliseconds of silence after which a session gets a successor; most that fall silent for less recover.</summary>
    private const long SickSilence = 3000;

    /// <summary>Milliseconds of silence after which datagrams go elsewhere: a connection of their own on top notices that they move.</summary>
    private const long DatagramSilence = 500;

    /// <summary>Loss that is no reason for a new session yet, but for looking.</summary>
    private const double NotableLoss = LossJudge<ClientConnection>.Sick * 2 / 3;

    // Not disposed of: sessions that outlive the loop still say how they fare.
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Dictionary<PeerSession, long> _silentSince = [];
    private int _hurried;
    private int _resting;
    private long _nextSlowAt;

    /// <summary>Somebody begins to wait.</summary>
    public void Hurry()
    {
        if (Interlocked.Exchange(ref _hurried, 1) == 0)
            _wake.Release();
    }

    /// <summary>Nothing is looked at before somebody says that there is something, or a name is to be looked up again.</summary>
    internal bool IsResting => Volatile.Read(ref _resting) != 0;

    /// <summary>There may be something to look after: a session came, went, fell silent, or fares otherwise than before.</summary>
    public void Stir()
    {
        if (Interlocked.Exchange(ref _resting, 0) != 0)
            _wake.Release();
    }

    public async Task RunAsync(CancellationToken stop)
    {
        bool wasStirred = false;
        while (!stop.IsCancellationRequested)
        {
            ForgetSignals();
            // Before it is asked whether there is anything: whoever has something after that wakes the loop.
            Volatile.Write(ref _resting, 1);
            int pause = wasStirred || IsRestless() ? Step : UntilRefresh();
            bool rests = pause > Step || pause == Timeout.Infinite;
            if (!rests)
                Volatile.Write(ref _resting, 0);
            await PauseAsync(pending.Count != 0 || pool.IsWanted, pause, stop).ConfigureAwait(false);
            // For a second at least: what stirs is traffic, as a rule, and stirs again.
            wasStirred = rests && !IsResting;
            Look(stop);
        }
    }

    /// <summary>Whoever begins to wait after this wakes the loop; whoever did before is seen by it.</summary>
    private void ForgetSignals()
    {
        while (_wake.Wait(0))
        {
        }

        Interlocked.Exchange(ref _hurried, 0);
    }

    private bool IsRestless() => _silentSince.Count != 0 || movable.Count != 0
        || pool.Connections.Any(c => c.Session?.Health is { } health && (health.IsSilent || health.Loss >= NotableLoss));

    /// <summary>Milliseconds until a server's name is to be looked up again.</summary>
    private int UntilRefresh()
    {
        long next = pool.Servers.Min(s => (long?)s.RefreshAt) ?? long.MaxValue;
        return next == long.MaxValue ? Timeout.Infinite : (int)Math.Clamp(next - Environment.TickCount64, Step, int.MaxValue);
    }

    private async Task PauseAsync(bool hurried, int pause, CancellationToken stop)
    {
        try
        {
            if (hurried || await _wake.WaitAsync(pause, stop).ConfigureAwait(false))
                await Task.Delay(HurriedStep, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The caller looks.
        }
    }

    private void Look(CancellationToken stop)
    {
        foreach (PeerSession session in pending.Sessions())
            LookAfter(session);
        IReadOnlyList<ClientConnection> connections = pool.Connections;
        foreach (ClientConnection connection in connections)
        {
            if (pool.IsWanted && connection.Session is { Health.IsSilent: true } silent)
                silent.Nudge();
            ReplaceSilent(connection);
        }

        if (Environment.TickCount64 < _nextSlowAt)
            return;
        _nextSlowAt = Environment.TickCount64 + Step;
        movable.Purge();
        foreach (PeerSession gone in _silentSince.Keys.Where(s => s.IsClosed).ToArray())
            _silentSince.Remove(gone);
        foreach (PoolServer server in pool.Servers)
        {
            ReplaceLossy(server);
            _ = RefreshAsync(server, stop);
        }
    }

    /// <summary>Somebody waits for this peer's word.</summary>
    private void LookAfter(PeerSession session)
    {
        session.LookAfter();
        if (session.Health is not { } health)
            return;
        // Two signs of life a silence: the first one's acknowledgement may be lost.
        if ((MonotonicClock.Now - session.LastHeard).TotalMilliseconds >= SessionHealth.ShortestSilence / 2.0)
            session.Nudge();
        if (health.IsSilent && pool.IsUsable)
            pending.Move(session);
    }

    private void ReplaceSilent(ClientConnection connection)
    {
        if (connection.Session is not { } session)
            return;
        if (session.Health is not { IsSilent: true })
        {
            _silentSince.Remove(session);
            return;
        }

        long now = Environment.TickCount64;
        if (!_silentSince.TryGetValue(session, out long since))
            _silentSince[session] = since = now;
        if (now - since >= DatagramSilence && movable.Count != 0 && pool.IsUsable)
            movable.Move(session);
        if (now - since >= SickSilence)
            connection.TryReplace($"nothing was heard for {(now - since) / 1000} s", unlessHeard: true);
    }

    private static void ReplaceLossy(PoolServer server)
    {
        (ClientConnection Connection, double Loss)[] losses =
            [.. server.Connections.Select(c => (c, c.Session?.Health?.Loss)).Where(p => p.Loss is not null).Select(p => (p.c, p.Loss!.Value))];
        if (server.Losses.Judge(losses) is { } sick)
            sick.TryReplace("it loses far more than others to the same server");
    }

    private static async Task RefreshAsync(PoolServer server, CancellationToken stop)
    {
        try
        {
            if (await server.RefreshAsync(stop).ConfigureAwait(false) is { } misplaced)
                misplaced.TryReplace("the name's addresses have changed");
        }
        catch (OperationCanceledException)
        {
            // The client stops.
        }
    }
}
