using System.Globalization;

namespace Tunnel.Ctl.Check.Knobs;

/// <summary>Receive flow steering, the part of each queue: how many flows it remembers.</summary>
internal sealed class RfsKnob : Knob
{
    private const string File = "rps_flow_cnt";

    public override string Name => "nic.rfs";

    public override string Why => "flows that a queue remembers the processor of; the table is net.core.rps_sock_flow_entries";

    public override Reading Read(CheckContext context) => QueueFiles.Read(context, File);

    /// <summary>For throughput the entries that the table has, or should have, divided among the queues.</summary>
    public override Judgement Judge(CheckContext context, Reading now)
    {
        if (QueueFiles.Parse(now) is not { } queues)
            return Judgement.Unknown(now.Problem ?? $"\"{now.Text?.Trim()}\" is no list of numbers");
        if (context.IsVirtual && context.Profile == TuningProfile.Throughput)
            return new Judgement(true, QueueFiles.NoInterrupt, now.Text!) { Matters = false };
        Judgement table = SysctlKnobs.FlowEntries.Judge(context, SysctlKnobs.FlowEntries.Read(context));
        if (table.Problem is not null)
            return Judgement.Unknown(table.Problem);
        if (!table.Matters || !new Reading(table.Set, null).TryNumber(out long entries, out _))
            return new Judgement(true, "as it is", now.Text!) { Matters = false };
        long each = Math.Max(1, entries / queues.Count);
        long[] counts = [.. queues.Select(q => long.TryParse(q.Value, NumberStyles.None, CultureInfo.InvariantCulture, out long n) ? n : -1)];
        if (counts.Contains(-1))
            return Judgement.Unknown($"\"{now.Text}\" is no list of numbers");
        string all = string.Join(' ', queues.Zip(counts, (q, n) => $"{q.Queue}={Math.Max(n, each)}"));
        return new Judgement(counts.All(n => n >= each), all, all);
    }

    public override string Command(CheckContext context, string value) => QueueFiles.Command(context, File, value);

    public override string? Write(CheckContext context, string value) => QueueFiles.Write(context, File, value);
}
