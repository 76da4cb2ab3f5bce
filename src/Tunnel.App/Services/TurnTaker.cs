namespace Tunnel.App.Services;

/// <summary>
/// Work that several threads may ask for and one at a time does: whoever asks while it is being done leaves it to whoever does it, who looks
/// again. Nothing is lost, and nobody waits.
/// </summary>
internal abstract class TurnTaker
{
    private int _asked;

    /// <summary>Sees to it that <see cref="Turn"/> runs after this, on this thread or on the one that is at it.</summary>
    public void Ask()
    {
        if (Interlocked.Increment(ref _asked) != 1)
            return;
        int seen;
        do
        {
            seen = Volatile.Read(ref _asked);
            try
            {
                Turn();
            }
            catch (Exception defect)
            {
                // It must not end the thread, which works for others, too: a reactor's, a link's.
                Break(defect);
            }
        }
        while (Interlocked.CompareExchange(ref _asked, 0, seen) != seen);
    }

    protected abstract void Turn();

    /// <summary>A turn ended by a defect: nothing more is done, and the owner is told.</summary>
    protected abstract void Break(Exception defect);
}

/// <summary>Who has two pumps, one for each direction, and is told once by each that it is over.</summary>
internal interface IPumpOwner
{
    /// <summary>All has been said and passed on.</summary>
    void OnEnded(TurnTaker pump);

    /// <summary>The socket or the stream broke, or there is a defect.</summary>
    void OnBroken(TurnTaker pump, Exception? defect);
}
