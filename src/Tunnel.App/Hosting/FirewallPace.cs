namespace Tunnel.App.Hosting;

/// <summary>
/// How often firewall rules are looked at: every few seconds while somebody may have changed any, one keeper's in each round, until all have
/// had their turn; once a minute where the kernel tells of every change and has told of none. A look starts a program. Pure; one owner at a time.
/// </summary>
internal sealed class FirewallPace
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Unhurried = TimeSpan.FromMinutes(1);

    private int _owed;
    private bool _lists;
    private int _round;

    /// <summary>Nothing is known that asks for a round, and what may come the kernel tells.</summary>
    /// <param name="isTold">The kernel tells of every change.</param>
    public bool IsUnhurried(bool isTold) => isTold && _owed == 0 && !_lists;

    /// <summary>Until the next round.</summary>
    /// <param name="isTold">The kernel tells of every change.</param>
    public TimeSpan Wait(bool isTold) => IsUnhurried(isTold) ? Unhurried : Interval;

    /// <summary>This process has changed rules itself. Somebody else may have at the same time; whether all are there is quickly found out.</summary>
    public void OnOwnChange() => _lists = true;

    /// <summary>Somebody has changed rules.</summary>
    /// <param name="keepers">How many want to be looked after.</param>
    public void OnChange(int keepers) => (_owed, _lists) = (keepers, true);

    /// <summary>A round begins: whether it is to be asked what rules there are at all.</summary>
    /// <param name="isTold">The kernel tells of every change.</param>
    public bool BeginRound(bool isTold)
    {
        // Unhurried rounds ask each time, and so does one in so many where nobody tells.
        bool perMinute = ++_round % (int)(Unhurried / Interval) == 0;
        bool lists = _lists || (isTold ? _owed == 0 : perMinute);
        (_lists, _owed) = (false, Math.Max(0, _owed - 1));
        return lists;
    }
}
