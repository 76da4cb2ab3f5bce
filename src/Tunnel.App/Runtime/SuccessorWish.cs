namespace Tunnel.App.Runtime;

/// <summary>
/// The wish that another session take the place of a connection's, and whether it still holds: one that came of silence does not once the session
/// has been heard again. One at a time; thread-safe.
/// </summary>
internal sealed class SuccessorWish
{
    private readonly Lock _lock = new();
    private volatile TaskCompletionSource _made = NewSignal();
    private volatile bool _unlessHeard;

    /// <summary>Ends when the wish has been made.</summary>
    public Task Made => _made.Task;

    /// <summary>Makes it; false when there is one.</summary>
    /// <param name="unlessHeard">No successor is needed if the session is heard before that is up.</param>
    public bool TryMake(bool unlessHeard)
    {
        lock (_lock)
        {
            if (!_made.TrySetResult())
                return false;
            _unlessHeard = unlessHeard;
            return true;
        }
    }

    /// <summary>It holds whether the session is heard or not.</summary>
    public void Insist()
    {
        lock (_lock)
            _unlessHeard = false;
    }

    /// <summary>A successor is still needed for this session.</summary>
    public bool Holds(PeerSession session) => !(_unlessHeard && session.Health is { IsSilent: false });

    /// <summary>Lets whoever waits for a wish look up.</summary>
    public void Wake() => _made.TrySetResult();

    /// <summary>It has been seen to, or does not hold any more; another may be made.</summary>
    public void Clear() => _made = NewSignal();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
