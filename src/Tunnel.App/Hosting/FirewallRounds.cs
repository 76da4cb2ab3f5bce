using System.Diagnostics;
using Tunnel.Links.Host;

namespace Tunnel.App.Hosting;

/// <summary>
/// Looks after all firewall rules of the process, on a thread of its own: at once after those that the kernel says were touched, and at the
/// others each in its turn. How often says <see cref="FirewallPace"/>. A client of a hundred links would else be busy with the tool.
/// Thread-safe.
/// </summary>
internal static class FirewallRounds
{
    /// <summary>Who changes rules makes several changes.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(200);

    private static readonly Lock Gate = new();
    private static readonly List<FirewallKeeper> Keepers = [];
    private static readonly FirewallPace Pace = new();
    private static readonly Stopwatch SinceRound = Stopwatch.StartNew();
    private static RulesetChanges? _changes;
    private static bool _isRunning;
    private static int _turn;

    /// <summary>Before rules are installed, lest a change right after that be missed. The installing itself is seen, too, and costs a look.</summary>
    public static void Listen()
    {
        lock (Gate)
            _changes ??= RulesetChanges.TryListen();
    }

    public static void Add(FirewallKeeper keeper)
    {
        lock (Gate)
        {
            Keepers.Add(keeper);
            if (_isRunning)
                return;
            _isRunning = true;
            SinceRound.Restart();
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
            IReadOnlySet<string>? touched = null;
            bool isRound, lists;
            lock (Gate)
            {
                keepers = [.. Keepers];
                if (_changes?.Take() is { } changed)
                {
                    touched = changed.Names;
                    if (!changed.IsComplete)
                        Pace.OnUntold(keepers.Length);
                }

                isRound = SinceRound.Elapsed >= Pace.Wait(IsTold());
                lists = isRound && Pace.BeginRound(IsTold());
                if (isRound)
                    SinceRound.Restart();
            }

            foreach (FirewallKeeper keeper in keepers.Where(k => k.Name is { } name && touched?.Contains(name) == true))
                keeper.Check();
            if (isRound && keepers.Length != 0)
                Look(keepers, keepers[_turn++ % keepers.Length], lists);
        }
    }

    /// <summary>Waits for the next round, or a change before that; false: there is nothing left to look after.</summary>
    private static bool TryRest()
    {
        RulesetChanges? changes;
        TimeSpan wait;
        lock (Gate)
        {
            _isRunning = Keepers.Count != 0;
            if (!_isRunning)
                return false;
            changes = _changes;
            wait = Pace.Wait(IsTold()) - SinceRound.Elapsed;
        }

        // A millisecond more: what counts whole ones must not come back before the time.
        wait = TimeSpan.FromMilliseconds(Math.Max(0, wait.TotalMilliseconds + 1));
        if (changes is null)
            Thread.Sleep(wait);
        else if (changes.Wait(wait))
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
