namespace Tunnel.App.Hosting;

/// <summary>
/// How often firewall rules are looked at that nobody said were touched: one keeper's in each round, every few seconds where others may have
/// changed any, once a minute where the kernel tells of every change. A look starts a program. Pure; one owner at a time.
/// </summary>
internal sealed class FirewallPace
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Unhurried = TimeSpan.FromMinutes(1);

    private int _owed;
    private bool _lists;
    private int _round;

    /// <summary>From one round to the next.</summary>
    /// <param name="isTold">The kernel tells of every change.</param>
    public TimeSpan Wait(bool isTold) => isTold && _owed == 0 ? Unhurried : Interval;

    /// <summary>More rules were changed than the kernel could tell of.</summary>
    /// <param name="keepers">How many want to be looked after.</param>
    public void OnUntold(int keepers) => (_owed, _lists) = (keepers, true);

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
