using System.Globalization;
using Tunnel.Ctl.Check.Proc;

namespace Tunnel.Ctl.Check.Knobs;

/// <summary>The sysctls that a tunnel host is judged by, with what each should be for each profile.</summary>
internal static class SysctlKnobs
{
    private const long KiB = 1024;
    private const long MiB = 1024 * KiB;

    public static readonly SysctlKnob Somaxconn = new(
        "net.core.somaxconn",
        c => Wish.AtLeast(c.Profile == TuningProfile.Small ? 4096 : 65535),
        "a burst of connections waits here to be accepted; what does not fit is dropped");

    public static readonly SysctlKnob SynBacklog = new(
        "net.ipv4.tcp_max_syn_backlog",
        c => Wish.AtLeast(c.Profile == TuningProfile.Small ? 1024 : 65535),
        "half-open connections of a burst");

    public static readonly IReadOnlyList<SysctlKnob> Buffers =
    [
        Bytes("net.core.rmem_max", 128 * MiB, 16 * MiB, 4 * MiB, "the most that a socket may ask for: ours ask for capture and UDP"),
        Bytes("net.core.wmem_max", 128 * MiB, 16 * MiB, 4 * MiB, "the most that a socket may ask for to send"),
        Bytes("net.core.rmem_default", MiB, 256 * KiB, 208 * KiB, "what each socket that does not ask gets, UDP targets' too"),
        Bytes("net.core.wmem_default", MiB, 256 * KiB, 208 * KiB, "what each socket that does not ask may have under way"),
        new(
            "net.ipv4.tcp_rmem",
            c => Wish.AtLeast(4 * KiB, 128 * KiB, TcpMost(c, 6 * MiB)),
            "bytes of a TCP socket: kept under pressure, at first, at most (grows by itself)",
            ShowBytes),
        new(
            "net.ipv4.tcp_wmem",
            c => Wish.AtLeast(4 * KiB, c.Profile == TuningProfile.Small ? 16 * KiB : 64 * KiB, TcpMost(c, 4 * MiB)),
            "as tcp_rmem, for what is sent and not acknowledged",
            ShowBytes),
        new(
            "net.ipv4.tcp_mem",
            TcpMemory,
            "memory of all TCP sockets together, in pages, not bytes: no worry, pressure, refusal",
            ShowPages),
    ];

    public static readonly IReadOnlyList<SysctlKnob> Receiving =
    [
        new(
            "net.core.netdev_max_backlog",
            c => Wish.AtLeast(Pick(c, 250_000, 16_384, 2_000)),
            "packets that wait for a processor (RPS, veth, loopback); what does not fit is lost"),
        new(
            "net.core.netdev_budget",
            c => Wish.AtLeast(Pick(c, 600, 300, 300)),
            "packets that a processor takes in one round before others get a turn"),
        new(
            "net.core.netdev_budget_usecs",
            c => Wish.AtLeast(Pick(c, 8_000, 2_000, 2_000)),
            "microseconds of such a round"),
        new(
            "net.core.busy_poll",
            c => c.Profile == TuningProfile.Latency ? Wish.AtLeast(50) : Wish.Anything,
            "microseconds that poll() looks at the card before it sleeps: latency for processor time"),
        new(
            "net.core.busy_read",
            c => c.Profile == TuningProfile.Latency ? Wish.AtLeast(50) : Wish.Anything,
            "the same for reads"),
    ];

    public static readonly SysctlKnob PortRange = new(
        "net.ipv4.ip_local_port_range",
        c => c.Profile == TuningProfile.Small ? Wish.Range(32768, 60999) : Wish.Range(1024, 65535),
        "a port for each connection to one target; out of them, dialling fails");

    public static readonly IReadOnlyList<SysctlKnob> Ports =
    [
        PortRange,
        new(
            "net.ipv4.tcp_tw_reuse",
            c => c.Profile == TuningProfile.Small ? Wish.OneOf("2", "1") : Wish.OneOf("1"),
            "ports in TIME_WAIT serve new connections after a second"),
        new(
            "net.ipv4.tcp_fin_timeout",
            c => Wish.AtMost(c.Profile == TuningProfile.Small ? 60 : 30),
            "seconds that an orphaned half-closed socket is kept"),
    ];

    public static readonly IReadOnlyList<SysctlKnob> Congestion =
    [
        new(
            "net.ipv4.tcp_congestion_control",
            c => c.Profile == TuningProfile.Small ? Wish.OneOf("bbr", "cubic") : Wish.OneOf("bbr"),
            "of the sockets to applications and targets; KCP has its own"),
        new(
            "net.core.default_qdisc",
            c => c.Profile == TuningProfile.Throughput ? Wish.OneOf("fq") : Wish.OneOf("fq", "fq_codel"),
            "paces bbr's segments; for interfaces that come up from now on"),
    ];

    public static readonly SysctlKnob ConntrackMax = new(
        "net.netfilter.nf_conntrack_max",
        c => c.Profile == TuningProfile.Throughput ? Wish.AtLeast(262_144) : Wish.Anything,
        "connections that the firewall tracks; beyond, new ones are dropped");

    public static readonly IReadOnlyList<SysctlKnob> Files =
    [
        new("fs.file-max", c => Wish.AtLeast(Pick(c, 2_097_152, 1_048_576, 65_536)), "files open in the whole system"),
        new("fs.nr_open", _ => Wish.AtLeast(1_048_576), "the most that any process's limit may be raised to"),
    ];

    public static readonly SysctlKnob FlowEntries = new(
        "net.core.rps_sock_flow_entries",
        c => c.Profile == TuningProfile.Throughput && c.Processors > 1 ? Wish.AtLeast(32_768) : Wish.Anything,
        "RFS: packets go to the processor whose thread reads them");

    public static IReadOnlyList<SysctlKnob> All { get; } =
        [Somaxconn, SynBacklog, .. Buffers, .. Receiving, .. Ports, .. Congestion, ConntrackMax, .. Files, FlowEntries];

    private static SysctlKnob Bytes(string name, long throughput, long latency, long small, string why) =>
        new(name, c => Wish.AtLeast(Pick(c, throughput, latency, small)), why, ShowBytes);

    private static long Pick(CheckContext context, long throughput, long latency, long small) => context.Profile switch
    {
        TuningProfile.Latency => latency,
        TuningProfile.Small => small,
        _ => throughput,
    };

    private static long TcpMost(CheckContext context, long small) => Pick(context, 128 * MiB, 16 * MiB, small);

    /// <summary>
    /// An eighth, a sixth and a quarter of the memory for throughput, a quarter of that otherwise, which is less than what the kernel takes by
    /// itself. Never another machine's numbers.
    /// </summary>
    private static Wish TcpMemory(CheckContext context)
    {
        if (context.MemoryBytes is not { } bytes)
            return Wish.Anything;
        long pages = bytes / Environment.SystemPageSize;
        long divisor = context.Profile == TuningProfile.Throughput ? 1 : 4;
        return Wish.AtLeast(pages / (8 * divisor), pages / (6 * divisor), pages / (4 * divisor));
    }

    private static string ShowBytes(string value) => Show(value, 1, "");

    private static string ShowPages(string value) => Show(value, Environment.SystemPageSize, " pages");

    /// <summary>The numbers, and in brackets the bytes that they stand for.</summary>
    private static string Show(string value, long unit, string unitName)
    {
        string[] words = value.Split(' ');
        bool numbers = words.All(w => long.TryParse(w, CultureInfo.InvariantCulture, out long n) && n >= 0 && n <= long.MaxValue / unit);
        if (!numbers)
            return value;
        IEnumerable<string> sizes = words.Select(w => ByteSize.Format(long.Parse(w, CultureInfo.InvariantCulture) * unit));
        return $"{value}{unitName} ({string.Join(' ', sizes)})";
    }
}
