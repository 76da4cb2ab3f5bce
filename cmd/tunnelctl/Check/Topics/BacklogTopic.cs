using System.Globalization;
using Tunnel.Ctl.Check.Knobs;
using Tunnel.Links.Host;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>Where connections wait to be accepted, and whether some did not fit.</summary>
internal sealed class BacklogTopic : PromptTopic
{
    private const string Queues = "listen.queues";
    private const string Overflows = "listen.overflows";
    private const string WhyQueues = "connections that wait to be accepted; a queue that is always long is a reader that is too slow";
    private const string WhyOverflows = "connections lost because a queue was full: raise somaxconn and the listener's backlog";

    public override string Topic => "backlog";

    public override string Title => "Listen queues";

    public override IReadOnlyList<string> Names => [SysctlKnobs.Somaxconn.Name, SysctlKnobs.SynBacklog.Name, Queues, Overflows];

    protected override IEnumerable<Finding> Look(CheckContext context) =>
        [SysctlKnobs.Somaxconn.Look(context), SysctlKnobs.SynBacklog.Look(context), LookAtQueues(context), LookAtOverflows(context)];

    private static Finding LookAtQueues(CheckContext context)
    {
        (IReadOnlyList<ListenQueue> queues, string? problem) = context.Calls.ReadListenQueues();
        if (problem is not null)
            return FromFiles(context, problem);
        ListenQueue[] full = [.. queues.Where(q => q.Waiting > 0).OrderByDescending(q => q.Waiting)];
        string now = full.Length == 0
            ? $"listening sockets: {queues.Count}, none has connections waiting"
            : string.Join(", ", full.Take(3).Select(q => $"{q.Local}: {q.Waiting} of {q.Backlog}"));
        return Finding.Of(Queues, full.All(q => q.Waiting * 2 <= q.Backlog), now, "under half full", WhyQueues, "ss -ltn");
    }

    /// <summary>Without the backlogs, which only the kernel's answer has.</summary>
    private static Finding FromFiles(CheckContext context, string problem)
    {
        Reading[] tables = [context.Files.Read("/proc/net/tcp"), context.Files.Read("/proc/net/tcp6")];
        if (tables.All(t => t.Text is null))
            return Finding.Unknown(Queues, $"{problem}; {tables[0].Problem}", WhyQueues);
        long[] waiting = [.. tables.SelectMany(t => WaitingIn(t.Text ?? ""))];
        string now = $"listening sockets: {waiting.Length}, the longest queue has {waiting.DefaultIfEmpty().Max()} (backlogs unknown: {problem})";
        return Finding.Of(Queues, waiting.All(w => w < 128), now, "short", WhyQueues, "ss -ltn");
    }

    /// <summary>Of each listening socket (state 0A) in /proc/net/tcp, the connections that wait.</summary>
    internal static IEnumerable<long> WaitingIn(string text)
    {
        foreach (string line in text.Split('\n').Skip(1))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 4 && words[3] == "0A" && words[4].Split(':') is [_, var waiting]
                && long.TryParse(waiting, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long count))
            {
                yield return count;
            }
        }
    }

    private static Finding LookAtOverflows(CheckContext context)
    {
        if (!context.After.Network.TryGetValue("TcpExt.ListenOverflows", out long overflows)
            || !context.After.Network.TryGetValue("TcpExt.ListenDrops", out long drops))
        {
            return Finding.Unknown(Overflows, context.Files.Read("/proc/net/netstat").Problem ?? "/proc/net/netstat has no such counters", WhyOverflows);
        }

        long before = context.Before.Network.GetValueOrDefault("TcpExt.ListenDrops", drops);
        string now = $"overflows {overflows}, drops {drops} since boot, {drops - before} in the last second";
        return Finding.Of(Overflows, overflows == 0 && drops == before, now, "0", WhyOverflows, "nstat -az TcpExtListenOverflows TcpExtListenDrops");
    }
}
