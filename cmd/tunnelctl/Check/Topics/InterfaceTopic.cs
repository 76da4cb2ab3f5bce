using Tunnel.Ctl.Check.Knobs;
using Tunnel.Links.Host.Ethtool;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>The card: its queues, what it merges and cuts, what it lost.</summary>
internal sealed class InterfaceTopic : PromptTopic
{
    private const string Driver = "nic.driver";
    private const string Channels = "nic.channels";
    private const string Rss = "nic.rss";
    private const string Offloads = "nic.offloads";
    private const string Drops = "nic.drops";
    private const string WhyDriver = "what the rest depends on";
    private const string WhyChannels = "queues that receive, each with its interrupt and its processor";
    private const string WhyRss = "each queue should get its share of the flows";
    private const string WhyOffloads = "afpacket uses them: one pass of the stack for 64 KiB; try pcap with and without";
    private const string WhyDrops = "what the card or its driver lost";

    /// <summary>Of sysfs, those that mean loss.</summary>
    private static readonly string[] LinkDrops =
        ["rx_dropped", "tx_dropped", "rx_errors", "tx_errors", "rx_fifo_errors", "rx_missed_errors", "rx_over_errors"];

    public override string Topic => "nic";

    public override string Title => "Interface";

    public override IReadOnlyList<string> Names =>
    [
        Driver, KnobCatalog.Rings.Name, Channels, Rss, KnobCatalog.Rps.Name, SysctlKnobs.FlowEntries.Name, KnobCatalog.Rfs.Name,
        Offloads, KnobCatalog.Coalescing.Name, Drops,
    ];

    protected override IEnumerable<Finding> Look(CheckContext context) =>
    [
        LookAtDriver(context), KnobCatalog.Rings.Look(context), LookAtChannels(context), LookAtSpread(context), KnobCatalog.Rps.Look(context),
        SysctlKnobs.FlowEntries.Look(context), KnobCatalog.Rfs.Look(context), LookAtOffloads(context), KnobCatalog.Coalescing.Look(context),
        LookAtDrops(context),
    ];

    private static Finding LookAtDriver(CheckContext context)
    {
        if (context.Nic is not { } nic)
            return Finding.Unknown(Driver, context.NoInterface, WhyDriver);
        string speed = context.Files.Read($"/sys/class/net/{context.Interface}/speed").TryNumber(out long mbits, out _) && mbits > 0
            ? $", {mbits} Mbit/s" : ", speed unknown";
        return nic.Driver() is { Value: { } driver }
            ? Finding.Good(Driver, $"{context.Interface}: {driver.Name}{speed}", "", WhyDriver)
            : Finding.Unknown(Driver, $"{context.Interface}: {nic.Driver().Problem}", WhyDriver);
    }

    private static Finding LookAtChannels(CheckContext context)
    {
        if (context.Nic is not { } nic)
            return Finding.Unknown(Channels, context.NoInterface, WhyChannels);
        NicAnswer<NicChannels> answer = nic.Channels();
        if (answer.Value is not { } channels)
            return Finding.Unknown(Channels, $"{context.Interface}: {answer.Problem}", WhyChannels);
        long wanted = Math.Min(channels.MaxReceiving, context.Processors);
        string which = channels.MaxCombined > 0 ? $"combined {wanted}" : $"rx {wanted}";
        bool met = context.Profile == TuningProfile.Small || channels.Receiving >= wanted;
        return Finding.Of(
            Channels, met, $"{channels.Receiving} of at most {channels.MaxReceiving}", $"{wanted}", WhyChannels, $"ethtool -L {context.Interface} {which}");
    }

    private static Finding LookAtSpread(CheckContext context)
    {
        if (context.Nic is not { } nic)
            return Finding.Unknown(Rss, context.NoInterface, WhyRss);
        int queues = (int)(nic.Channels().Value?.Receiving ?? (uint)QueueFiles.Queues(context).Count);
        if (queues == 1)
            return Finding.Good(Rss, "one queue: nothing to spread", "", WhyRss);
        NicAnswer<IReadOnlyList<int>> answer = nic.Spread();
        if (answer.Value is not { Count: > 0 } slots)
            return Finding.Unknown(Rss, $"{context.Interface}: {answer.Problem ?? "an empty table"}", WhyRss);
        int unused = Math.Max(0, queues - slots.Count(s => s > 0));
        bool met = unused == 0 && slots.Max() <= 2 * slots.Where(s => s > 0).Min();
        return Finding.Of(Rss, met, $"slots by queue: {string.Join(' ', slots)}", "evenly over all queues", WhyRss, $"ethtool -X {context.Interface} equal {Math.Max(1, queues)}");
    }

    private static Finding LookAtOffloads(CheckContext context)
    {
        if (context.Nic is not { } nic)
            return Finding.Unknown(Offloads, context.NoInterface, WhyOffloads);
        NicOffloads offloads = nic.Offloads();
        if (offloads is { Gro: null, Lro: null, Tso: null, Gso: null })
            return Finding.Unknown(Offloads, $"{context.Interface}: the driver does not tell", WhyOffloads);
        string now = $"gro {Show(offloads.Gro)}, lro {Show(offloads.Lro)}, tso {Show(offloads.Tso)}, gso {Show(offloads.Gso)}";
        // LRO loses the segments' borders, so that merged frames cannot be taken apart again.
        bool met = offloads.Lro is not true && (context.Profile != TuningProfile.Throughput || offloads is { Gro: not false, Gso: not false });
        string should = context.Profile == TuningProfile.Throughput ? "gro on, gso on, lro off" : "lro off";
        string command = $"ethtool -K {context.Interface} lro off" + (context.Profile == TuningProfile.Throughput ? " gro on gso on" : "");
        return Finding.Of(Offloads, met, now, should, WhyOffloads, command);
    }

    private static Finding LookAtDrops(CheckContext context)
    {
        if (context.Interface is null)
            return Finding.Unknown(Drops, context.NoInterface, WhyDrops);
        if (context.After.Link.Count == 0)
            return Finding.Unknown(Drops, $"sysfs has no statistics of {context.Interface}", WhyDrops);
        var counters = LinkDrops.Where(context.After.Link.ContainsKey)
            .Select(n => (Name: n, Now: context.After.Link[n], Before: context.Before.Link.GetValueOrDefault(n, context.After.Link[n])))
            .Concat(DriverDrops(context)).Where(c => c.Now > 0).ToArray();
        long grown = counters.Sum(c => Math.Max(0, c.Now - c.Before));
        string now = counters.Length == 0
            ? "none"
            : $"{string.Join(", ", counters.Take(5).Select(c => $"{c.Name} {c.Now}"))}; {grown} in the last second";
        return Finding.Of(Drops, grown == 0, now, "not growing", WhyDrops, $"ethtool -S {context.Interface}");
    }

    private static IEnumerable<(string Name, long Now, long Before)> DriverDrops(CheckContext context)
    {
        Dictionary<string, ulong> before = [];
        foreach (NicStatistic statistic in context.Before.Driver)
            before[statistic.Name] = statistic.Value;
        return context.After.Driver
            .Where(s => IsDrop(s.Name) && !LinkDrops.Contains(s.Name))
            .Select(s => (s.Name, (long)s.Value, (long)before.GetValueOrDefault(s.Name, s.Value)));
    }

    // XDP programs drop on purpose.
    private static bool IsDrop(string name) =>
        (name.Contains("drop", StringComparison.OrdinalIgnoreCase) || name.Contains("no_buf", StringComparison.OrdinalIgnoreCase)
            || name.Contains("missed", StringComparison.OrdinalIgnoreCase)) && !name.Contains("xdp", StringComparison.OrdinalIgnoreCase);

    private static string Show(bool? on) => on is null ? "unknown" : on.Value ? "on" : "off";
}
