using Tunnel.Links.Host;

namespace Tunnel.App.Hosting;

/// <summary>
/// Looks after all firewall rules of the process, on a thread of its own: whether one's are as they were, each in its turn, and when somebody
/// changed rules, whether all are there. How often says <see cref="FirewallPace"/>. A client of a hundred links would else be busy with the
/// tool. Thread-safe.
/// </summary>
internal static class FirewallRounds
{
    /// <summary>Who changes rules makes several changes.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);

    private static readonly Lock Gate = new();
    private static readonly List<FirewallKeeper> Keepers = [];
    private static readonly FirewallPace Pace = new();
    private static RulesetChanges? _changes;
    private static bool _isRunning;
    private static int _turn;

    public static void Add(FirewallKeeper keeper)
    {
        lock (Gate)
        {
            _changes ??= RulesetChanges.TryListen();
            // It has just installed its rules.
            if (_changes?.Take() == true)
                Pace.OnOwnChange();
            Keepers.Add(keeper);
            if (_isRunning)
                return;
            _isRunning = true;
            new Thread(Run) { IsBackground = true, Name = "firewall" }.Start();
        }
    }

    public static void Remove(FirewallKeeper keeper)
    {
        lock (Gate)
            Keepers.Remove(keeper);
    }

    private static void Run()
    {
        while (TryRest())
        {
            FirewallKeeper[] keepers;
            bool lists;
            lock (Gate)
            {
                keepers = [.. Keepers];
                if (_changes?.Take() == true)
                    Pace.OnChange(keepers.Length);
                lists = Pace.BeginRound(IsTold());
            }

            if (keepers.Length != 0)
                Look(keepers, keepers[_turn++ % keepers.Length], lists);
        }
    }

    /// <summary>Waits for the next round; false: there is nothing left to look after.</summary>
    private static bool TryRest()
    {
        bool isTold;
        TimeSpan wait;
        lock (Gate)
        {
            _isRunning = Keepers.Count != 0;
            if (!_isRunning)
                return false;
            isTold = Pace.IsUnhurried(IsTold());
            wait = Pace.Wait(isTold);
        }

        if (!isTold)
            Thread.Sleep(wait);
        else if (_changes!.Wait(wait))
            Thread.Sleep(Settling);
        return true;
    }

    /// <summary>The kernel announces nftables' changes alone.</summary>
    private static bool IsTold() => _changes is not null && Keepers.TrueForAll(k => k.Tool is "nft" or null);

    private static void Look(FirewallKeeper[] keepers, FirewallKeeper next, bool lists)
    {
        bool mine = next.Check();
        if (!mine && !lists)
            return;
        foreach (IGrouping<string, FirewallKeeper> alike in keepers.Where(k => k != next && k.Tool is not null).GroupBy(k => k.Tool!))
        {
            IReadOnlySet<string> names = Firewall.ListNames(alike.Key);
            // None at all: either somebody flushed everything, of which the one that was looked at knows, or the tool failed.
            if (names.Count == 0 && !mine)
                continue;
            foreach (FirewallKeeper keeper in alike.Where(k => k.Name is { } name && !names.Contains(name)))
                keeper.Check();
        }
    }
}
