using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Ctl.Bench.Report;

/// <summary>When a knob matters and when it does not: what the figures of one host cannot say by themselves.</summary>
internal static class MentalModel
{
    private const string Backlog = """
        The backlog is the waiting room between the kernel, which completes handshakes, and the process, which accepts. Listeners get it cut to
        `net.core.somaxconn` when they call listen(), so those that were open keep the old one until they listen again.

        It matters when connections come faster than they are accepted, for longer than the room lasts:

        - many new connections a second: no keep-alive, or clients that all come back at once after a restart or an outage;
        - many pending accepts: a process that pauses (collection, disk, one accepting thread, a debugger) while they go on coming;
        - a load balancer that opens its connections in bursts, sends everything to one host, or checks its health with a connection each time.

        When it is full the kernel drops the handshake and the client tries again after 1 s, then 3 s, then 7 s: connect times of whole seconds,
        timeouts, and `TcpExtListenOverflows` that grows (with `net.ipv4.tcp_abort_on_overflow=1` "refused" instead). It does not matter
        while connections are kept or are accepted as they come: nobody is faster for an empty room that is larger.
        """;

    private const string Buffers = """
        A buffer bounds what may be under way: a connection carries at most its buffer a round trip, so 16 MiB are 1.3 Gbit/s at 100 ms, and 13 Gbit/s at 10.
        It matters on long fast paths and for bursts that come while the reader sleeps. On short paths, and where the reader keeps up, nothing changes but memory.
        """;

    private const string Receiving = """
        It bounds what a processor takes in before the stack has seen it. It matters for bursts of packets on few processors (RPS, veth, a single queue):
        look at the second and third column of `/proc/net/softnet_stat`. While those do not grow, nothing changes.
        """;

    private const string Interrupts = """
        Fewer interrupts are less work for each packet and a later look at it. It matters for bulk in one direction and for single round trips in the other;
        on virtual cards it often does nothing at all.
        """;

    private const string Ports = """
        Each connection to the same target needs a port of its own, and keeps it for a minute after its end. It matters above some
        hundred new connections a second to one target (28,232 ports / 60 s = 470); below, nothing changes.
        """;

    private static readonly (string Part, string Text)[] Models =
    [
        ("somaxconn", Backlog), ("tcp_max_syn_backlog", Backlog), ("mem", Buffers), ("netdev_", Receiving), ("rps", Receiving), ("rfs", Receiving),
        ("busy_", Interrupts), ("coalescing", Interrupts), ("rings", Receiving), ("ip_local_", Ports), ("tcp_tw_reuse", Ports), ("tcp_fin_timeout", Ports),
    ];

    /// <summary>Markdown.</summary>
    public static string Of(Knob knob)
    {
        string? known = Models.FirstOrDefault(m => knob.Name.Contains(m.Part, StringComparison.Ordinal)).Text;
        return known ?? $"`{knob.Name}`: {knob.Why}. It matters where that limit is reached; below it, nothing changes.";
    }
}
