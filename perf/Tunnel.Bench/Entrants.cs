using Tunnel.Bench.Contenders;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench;

/// <summary>Who runs, and what.</summary>
internal static class Entrants
{
    public static Contender[] Of(string bin, string? paqet, string keys)
    {
        Contender[] always =
        [
            new NoTunnel(),
            new Ours("ours, afpacket", bin, "afpacket", keys: keys),
            new Ours("ours, afpacket, conn 2", bin, "afpacket", conn: 2, keys),
            new Ours("ours, pcap", bin, "pcap", keys: keys),
            new Ours("ours, udp", bin, "udp", keys: keys),
            new Kcptun(overTcp: false),
            new Kcptun(overTcp: true),
            new Stunnel(),
        ];
        return paqet is null ? always : [.. always, new Paqet(Path.GetFullPath(paqet))];
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

    /// <exception cref="BenchException">There is no such workload.</exception>
    public static RaceLoad[] Choose(string? names) =>
        names is null ? [.. RaceLoad.All] : [.. Split(names).Select(n => Find([.. RaceLoad.All], n, l => l.Name))];

    private static string[] Split(string names) => names.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static T Find<T>(T[] all, string name, Func<T, string> nameOf) =>
        Array.Find(all, t => nameOf(t) == name)
        ?? throw new BenchException($"\"{name}\" is none of: {string.Join("; ", all.Select(nameOf))}");
}
