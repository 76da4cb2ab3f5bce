using System.Globalization;

namespace Tunnel.Ctl.Check.Knobs;

/// <summary>Receive flow steering, the part of each queue: how many flows it remembers.</summary>
internal sealed class RfsKnob : Knob
{
    private const string File = "rps_flow_cnt";

    public override string Name => "nic.rfs";

    public override string Why => "flows that a queue remembers the processor of; the table is net.core.rps_sock_flow_entries";

    public override Reading Read(CheckContext context) => QueueFiles.Read(context, File);

    /// <summary>For throughput the table's entries, divided among the queues; nothing while there is no table.</summary>
    public override Judgement Judge(CheckContext context, Reading now)
    {
        if (QueueFiles.Parse(now) is not { } queues)
            return Judgement.Unknown(now.Problem ?? $"\"{now.Text?.Trim()}\" is no list of numbers");
        if (!context.Files.Read(SysctlKnobs.FlowEntries.Path).TryNumber(out long entries, out string problem))
            return Judgement.Unknown(problem);
        if (context.Profile != TuningProfile.Throughput || entries == 0)
            return new Judgement(true, entries == 0 ? "0 while net.core.rps_sock_flow_entries is 0" : "as it is", now.Text!);
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
