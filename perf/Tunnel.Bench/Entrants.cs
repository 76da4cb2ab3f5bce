using Tunnel.Bench.Cables;
using Tunnel.Bench.Contenders;
using Tunnel.Bench.Loads;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench;

/// <summary>Who runs, and what.</summary>
internal static class Entrants
{
    /// <summary>Where several sessions, or a tool beside it, may make a difference.</summary>
    private static readonly string[] BulkOnly = ["bulk down", "bulk down, 8"];

    private static readonly string[] ShowingItself = ["bulk down, long", "bulk down, scraped", "bulk down, page"];

    /// <summary>For what a user might pick instead, one of each kind.</summary>
    private static readonly string[] OneOfEach = ["bulk down", "echo", "http, 50"];

    /// <summary>Streams that are held, and sessions that are idle, are the same over every link.</summary>
    private static readonly string[] Moving = ["bulk down", "bulk up", "bulk down, 8", "echo", "echo, 50", "connect", "http, 50"];

    private static readonly string[] MovingAndWrk = [.. Moving, "wrk, 50"];

    /// <summary>For what is slow in all of them alike.</summary>
    private static readonly string[] Slow = ["bulk down", "bulk up", "echo", "connect", "http, 50"];

    public static Contender[] Of(string bin, string? paqet, string keys)
    {
        Contender[] always =
        [
            new NoTunnel { Says = MovingAndWrk },
            new Ours("ours, afpacket", bin, "afpacket", keys: keys),
            new Ours("ours, afpacket, conn 2", bin, "afpacket", conn: 2, keys) { Says = BulkOnly },
            new Ours("ours, afpacket, conn 4", bin, "afpacket", conn: 4, keys) { Says = BulkOnly },
            new Ours("ours, afpacket, [debug]", bin, "afpacket", keys: keys) { Says = ShowingItself, HasDebug = true },
            new Ours("ours, pcap", bin, "pcap", keys: keys) { Says = Slow },
            new Ours("ours, udp", bin, "udp", keys: keys) { Says = Moving },
            new Kcptun(overTcp: false),
            new Kcptun(overTcp: true) { Says = Slow },
            new Stunnel { Says = OneOfEach },
            new OpenVpn { Says = OneOfEach },
            new Ssh { Says = OneOfEach },
        ];
        return paqet is null ? always : [.. always, new Paqet(Path.GetFullPath(paqet)) { Says = Moving }];
    }

    /// <summary>Those that were asked for and can run; who cannot is named.</summary>
    /// <exception cref="BenchException">There is no such contender, or none can run.</exception>
    public static Contender[] Choose(Contender[] all, string? names, Action<string> say)
    {
        Contender[] wanted = names is null ? all : [.. Split(names).Select(n => Find(all, n, c => c.Name))];
        foreach (Contender absent in wanted.Where(c => c.Lacks is not null))
            say($"{absent.Name} does not run: {absent.Lacks}");
        Contender[] able = [.. wanted.Where(c => c.Lacks is null)];
        return able.Length != 0 ? able : throw new BenchException("no contender can run here");
    }

    /// <summary>Those that were asked for and can run; which cannot is named.</summary>
    /// <exception cref="BenchException">There is no such workload.</exception>
    public static RaceLoad[] Choose(string? names, Action<string> say)
    {
        RaceLoad[] wanted = names is null ? [.. RaceLoad.All] : [.. Split(names).Select(n => Find([.. RaceLoad.All], n, l => l.Name))];
        foreach (RaceLoad absent in wanted.Where(l => l.Lacks is not null))
            say($"{absent.Name} does not run: {absent.Lacks}");
        return [.. wanted.Where(l => l.Lacks is null)];
    }

    /// <summary>
    /// Every lane of a race. A whole race over the cables that it chooses itself leaves out what says little, so that it ends before
    /// its reader goes home; what was named runs.
    /// </summary>
    /// <param name="cables">Null: a veth, one without offloads, and lossy ones.</param>
    /// <param name="loads">That run.</param>
    /// <param name="contenders">That run.</param>
    /// <param name="named">Whether contenders were asked for by name.</param>
    public static IReadOnlyList<Lane> Lanes(IReadOnlyList<Cable>? cables, RaceLoad[] loads, Contender[] contenders, bool named) =>
    [
        .. from cable in cables ?? [Cable.Veth, Cable.NoOffloads, Cable.Lossy, Cable.VeryLossy]
           from load in loads
           from contender in contenders
           where load.Sessions is null || contender.CountsSessions
           where !load.IsWatched || contender.ShowsItself
           where named || Says(contender, load)
           where cables is not null || IsWorthwhile(cable, load, contender, named)
           select new Lane(cable, contender, load),
    ];

    private static bool Says(Contender contender, RaceLoad load) =>
        (contender.Says is null || contender.Says.Contains(load.Name)) && (load.SaysOf is null || load.SaysOf.Contains(contender.Name));

    /// <summary>Other cables than the first are for what they change, and for those whom it concerns.</summary>
    private static bool IsWorthwhile(Cable cable, RaceLoad load, Contender contender, bool named)
    {
        if (cable == Cable.Veth)
            return true;
        bool concerns = load.Name is "bulk down" || (cable == Cable.Lossy && load.Name is "echo");
        return concerns && (named || contender.Name is "no tunnel" or "ours, afpacket" or "kcptun");
    }

    private static string[] Split(string names) => names.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static T Find<T>(T[] all, string name, Func<T, string> nameOf) =>
        Array.Find(all, t => nameOf(t) == name)
        ?? throw new BenchException($"\"{name}\" is none of: {string.Join("; ", all.Select(nameOf))}");
}

/// <summary>One contender with one workload over one cable, as it is to run.</summary>
internal sealed record Lane(Cable Cable, Contender Contender, RaceLoad Load)
{
    /// <summary>An emulated cable's faults come from a seed, the same for all, and its laps are long.</summary>
    private const int MaximumEmulatedRounds = 2;

    /// <summary>How many of a race's rounds it takes part in.</summary>
    public int RoundsOf(int rounds) => Math.Min(rounds, Math.Min(Load.MaximumRounds, Cable.IsEmulated ? MaximumEmulatedRounds : int.MaxValue));
}
