using System.Globalization;
using Tunnel.Ctl.Check.Knobs;
using Tunnel.Ctl.Check.Proc;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>The kernel's own queues between card and socket, and what they lost.</summary>
internal sealed class ReceivingTopic : PromptTopic
{
    private const string Dropped = "softnet.dropped";
    private const string Squeezed = "softnet.squeezed";

    public override string Topic => "receiving";

    public override string Title => "Receiving, by processor";

    public override IReadOnlyList<string> Names => [.. SysctlKnobs.Receiving.Select(k => k.Name), Dropped, Squeezed];

    protected override IEnumerable<Finding> Look(CheckContext context) =>
    [
        .. SysctlKnobs.Receiving.Select(k => k.Look(context)),
        LookAt(context, Dropped, s => s.Dropped, "packets lost because netdev_max_backlog was full", SysctlKnobs.Receiving[0]),
        LookAt(context, Squeezed, s => s.Squeezed, "rounds that ended with packets left: netdev_budget was used up", SysctlKnobs.Receiving[1]),
    ];

    /// <summary>Not met when it grew during the check, or is more than one in ten thousand packets since boot.</summary>
    private static Finding LookAt(CheckContext context, string name, Func<SoftnetStat, long> count, string why, SysctlKnob knob)
    {
        IReadOnlyList<SoftnetStat> after = context.After.Softnet;
        if (after.Count == 0)
            return Finding.Unknown(name, context.Files.Read("/proc/net/softnet_stat").Problem ?? "/proc/net/softnet_stat has no line that can be read", why);
        long total = after.Sum(count), processed = after.Sum(s => s.Processed);
        long grown = Math.Max(0, total - context.Before.Softnet.Sum(count));
        string[] where = [.. after.Where(s => count(s) > 0).Select(s => $"cpu{s.Processor}: {count(s)}")];
        string now = total == 0 ? "0" : $"{total} since boot, {grown} in the last second ({string.Join(", ", where.Take(4))})";
        return Finding.Of(name, grown == 0 && total * 10_000 <= processed, now, "0, or not growing", why, Raise(context, knob));
    }

    /// <summary>Twice what it is, where that is known.</summary>
    private static string Raise(CheckContext context, SysctlKnob knob) => knob.Read(context).TryNumber(out long now, out _)
        ? knob.Command(context, Math.Max(now * 2, 1000).ToString(CultureInfo.InvariantCulture))
        : $"sysctl {knob.Name}";
}
