using System.Globalization;
using Tunnel.Ctl.Check.Proc;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>The interface's interrupts: to which processors they may go, and to which they went.</summary>
internal sealed class InterruptsTopic : PromptTopic
{
    private const string Affinity = "irq.affinity";
    private const string Spread = "irq.spread";
    private const string WhyAffinity = "each queue's interrupt on a processor of its own";
    private const string WhySpread = "one processor that takes all interrupts is the bottleneck";

    /// <summary>Interrupts in the second of the check below which their spread says nothing.</summary>
    private const long Few = 1000;

    public override string Topic => "irq";

    public override string Title => "Interrupts";

    public override IReadOnlyList<string> Names => [Affinity, Spread];

    protected override IEnumerable<Finding> Look(CheckContext context)
    {
        if (context.Interface is null)
            return Both(context.NoInterface);
        if (context.After.Interrupts.Count == 0)
            return Both(context.Files.Read("/proc/interrupts").Problem ?? "/proc/interrupts has no line that can be read");
        InterruptLine[] lines = [.. OfInterface(context)];
        return lines.Length == 0
            ? Both($"{context.Interface} has no interrupts of its own (it is virtual, or shares its bus's)")
            : [LookAtAffinity(context, lines), LookAtSpread(context, lines)];
    }

    private static Finding[] Both(string reason) => [Finding.Unknown(Affinity, reason, WhyAffinity), Finding.Unknown(Spread, reason, WhySpread)];

    /// <summary>
    /// Those that the device or, for virtio, the card below it lists; else those whose line names the interface or its device.
    /// Without those that only tell of changes.
    /// </summary>
    private static IEnumerable<InterruptLine> OfInterface(CheckContext context)
    {
        string device = $"/sys/class/net/{context.Interface}/device";
        HashSet<string> numbers = [.. context.Files.List($"{device}/msi_irqs"), .. context.Files.List($"{device}/../msi_irqs")];
        string?[] names = [context.Interface, context.Files.LinkName(device)];
        return context.After.Interrupts.Where(l =>
            (numbers.Count > 0
                ? numbers.Contains(l.Number.ToString(CultureInfo.InvariantCulture))
                : names.Any(n => n is not null && l.Action.Split(' ')[^1].StartsWith(n + "-", StringComparison.Ordinal)))
            && !l.Action.EndsWith("-config", StringComparison.Ordinal));
    }

    private static Finding LookAtAffinity(CheckContext context, InterruptLine[] lines)
    {
        List<string> shown = [];
        HashSet<int> reachable = [];
        foreach (InterruptLine line in lines)
        {
            Reading effective = context.Files.Read($"/proc/irq/{line.Number}/effective_affinity_list");
            Reading list = string.IsNullOrWhiteSpace(effective.Text) ? context.Files.Read($"/proc/irq/{line.Number}/smp_affinity_list") : effective;
            if (list.Text is null || CpuList.ParseList(list.Text) is not { } processors)
                return Finding.Unknown(Affinity, list.Problem ?? $"interrupt {line.Number}: \"{list.Text?.Trim()}\" is no list", WhyAffinity);
            reachable.UnionWith(processors);
            shown.Add($"{line.Number}: {list.Text.Trim()}");
        }

        int wanted = Math.Min(lines.Length, context.Processors);
        string now = string.Join(", ", shown.Take(6)) + (shown.Count > 6 ? ", ..." : "");
        string command = string.Join("; ", lines.Take(8).Select((l, i) => $"echo {context.OnlineProcessors[i % context.Processors]} > /proc/irq/{l.Number}/smp_affinity_list"));
        return Finding.Of(Affinity, reachable.Count >= wanted, now, wanted == 1 ? "on a processor" : $"over {wanted} processors", WhyAffinity, command);
    }

    private static Finding LookAtSpread(CheckContext context, InterruptLine[] lines)
    {
        var before = context.Before.Interrupts.ToDictionary(l => l.Number, l => l.Counts);
        var counts = new long[lines.Max(l => l.Counts.Length)];
        foreach (InterruptLine line in lines)
        {
            long[] old = before.GetValueOrDefault(line.Number, line.Counts);
            for (int i = 0; i < line.Counts.Length; i++)
                counts[i] += i < old.Length ? Math.Max(0, line.Counts[i] - old[i]) : 0;
        }

        long total = counts.Sum();
        string now = $"in the last second {string.Join(", ", counts.Select((c, i) => $"cpu{i}: {c}"))}";
        if (total < Few)
            return Finding.Unknown(Spread, $"{now}: too few to tell, check under load", WhySpread);
        bool met = counts.Length == 1 || counts.Max() * 10 < total * 9 || lines.Length == 1;
        return Finding.Of(Spread, met, now, "no processor with nine tenths", WhySpread, "grep -E 'CPU|" + context.Interface + "' /proc/interrupts");
    }
}
