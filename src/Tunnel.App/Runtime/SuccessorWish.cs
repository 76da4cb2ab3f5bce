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
            if (_made.Task.IsCompleted)
                return false;
            // Before it can be seen: whoever sees a wish looks at once whether it holds.
            _unlessHeard = unlessHeard;
            return _made.TrySetResult();
        }
    }

    /// <summary>It holds whether the session is heard or not.</summary>
    public void Insist()
    {
        lock (_lock)
            _unlessHeard = false;
    }

    /// <summary>A successor is still needed.</summary>
    /// <param name="isHeard">The session is not silent now.</param>
    public bool Holds(bool isHeard) => !(_unlessHeard && isHeard);

    /// <summary>Lets whoever waits for a wish look up.</summary>
    public void Wake() => _made.TrySetResult();

    /// <summary>It has been seen to, or does not hold any more; another may be made.</summary>
    public void Clear() => _made = NewSignal();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
