using Microsoft.Extensions.Logging;

namespace Tunnel.App.Runtime;

/// <summary>
/// The sessions of one connection that live, each with its link: the one that carries new streams, and those that only go on until their streams
/// have ended. Its connection tells what becomes of them; anybody may ask.
/// </summary>
/// <param name="logger">Told of each that has ended.</param>
internal sealed class LiveSessions(ILogger logger)
{
    private static readonly TimeSpan DrainStep = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly List<ClientReceiver> _alive = [];

    /// <summary>The one that carries new streams; null while there is none.</summary>
    public PeerSession? Current { get; private set; }

    /// <summary>The last one that takes no new streams and ends with those that it has; null when there is none.</summary>
    public PeerSession? Drained { get; private set; }

    /// <summary>Ends when all have that were drained so far.</summary>
    public Task Draining { get; private set; } = Task.CompletedTask;

    /// <summary>There is one, and none that is drained: another may take its place.</summary>
    public bool HasOnlyOne
    {
        get
        {
            lock (_lock)
                return Current is not null && Drained is null;
        }
    }

    public ClientReceiver[] GetAll()
    {
        lock (_lock)
            return [.. _alive];
    }

    /// <summary>It lives from now on, and carries new streams.</summary>
    public void Begin(ClientReceiver receiver)
    {
        lock (_lock)
        {
            _alive.Add(receiver);
            Current = receiver.Session;
        }
    }

    /// <summary>None carries new streams any more.</summary>
    public void Retire()
    {
        lock (_lock)
            Current = null;
    }

    /// <summary>It takes no new streams, and ends with those that it has, or when this process stops.</summary>
    public void Drain(ClientReceiver receiver, CancellationToken stop)
    {
        lock (_lock)
            Drained = receiver.Session;
        Draining = Task.WhenAll(Draining, DrainAsync(receiver, stop));
    }

    /// <summary>It has ended.</summary>
    public void End(ClientReceiver receiver)
    {
        TrafficLog.SessionEnded(logger, receiver.Session);
        TrafficLog.LinkClosed(logger, receiver);
        lock (_lock)
            _alive.Remove(receiver);
        receiver.Dispose();
    }

    /// <summary>Ends all of them, and says so.</summary>
    public void LeaveAll()
    {
        foreach (ClientReceiver receiver in GetAll())
            _ = Farewell.LeaveAsync(receiver.Session);
    }

    private async Task DrainAsync(ClientReceiver receiver, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && !receiver.Closed.IsCompleted && receiver.Session.HasUnfinishedStreams)
            await Task.WhenAny(receiver.Closed, Task.Delay(DrainStep, CancellationToken.None)).ConfigureAwait(false);
        await Farewell.LeaveAsync(receiver.Session).ConfigureAwait(false);
        await receiver.Closed.ConfigureAwait(false);
        End(receiver);
        lock (_lock)
            Drained = ReferenceEquals(Drained, receiver.Session) ? null : Drained;
    }
}
