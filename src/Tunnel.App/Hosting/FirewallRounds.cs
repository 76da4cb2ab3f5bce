using Tunnel.Links.Host;

namespace Tunnel.App.Hosting;

/// <summary>
/// Looks after all firewall rules of the process: every few seconds whether one's are as they were, each in its turn, and when the kernel
/// says that somebody changed rules, whether all are there. A client of a hundred links would else be busy with the tool. Thread-safe.
/// </summary>
internal static class FirewallRounds
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Where the kernel does not say that, one look in so many is at all.</summary>
    private const int Unhurried = 12;

    private static readonly Lock Gate = new();
    private static readonly List<FirewallKeeper> Keepers = [];
    private static readonly Timer Clock = new(_ => LookAndGoOn());
    private static RulesetChanges? _changes;
    private static int _turn;

    public static void Add(FirewallKeeper keeper)
    {
        lock (Gate)
        {
            Keepers.Add(keeper);
            if (Keepers.Count != 1)
                return;
            _changes ??= RulesetChanges.TryListen();
            GoOn();
        }
    }

    public static void Remove(FirewallKeeper keeper)
    {
        lock (Gate)
            Keepers.Remove(keeper);
    }

    /// <summary>One at a time: looks that wait for each other would take every thread there is.</summary>
    private static void LookAndGoOn()
    {
        FirewallKeeper[] keepers;
        lock (Gate)
            keepers = [.. Keepers];
        if (keepers.Length != 0)
            Look(keepers, keepers[_turn++ % keepers.Length]);
        lock (Gate)
        {
            if (Keepers.Count != 0)
                GoOn();
        }
    }

    private static void Look(FirewallKeeper[] keepers, FirewallKeeper next)
    {
        bool mine = next.Check(), anybodys = _changes?.Take() ?? false;
        foreach (IGrouping<string, FirewallKeeper> alike in keepers.Where(k => k != next && k.Tool is not null).GroupBy(k => k.Tool!))
        {
            bool isTold = _changes is not null && alike.Key == "nft";
            if (!mine && !anybodys && (isTold || _turn % Unhurried != 0))
                continue;
            IReadOnlySet<string> names = Firewall.ListNames(alike.Key);
            // None at all: either somebody flushed everything, of which the one that was looked at knows, or the tool failed.
            if (names.Count == 0 && !mine)
                continue;
            foreach (FirewallKeeper keeper in alike.Where(k => k.Name is { } name && !names.Contains(name)))
                keeper.Check();
        }
    }

    private static void GoOn() => Clock.Change(Interval, Timeout.InfiniteTimeSpan);
}
