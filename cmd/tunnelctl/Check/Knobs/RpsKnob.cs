using Tunnel.Ctl.Check.Proc;

namespace Tunnel.Ctl.Check.Knobs;

/// <summary>Receive packet steering: which processors take a queue's packets from the one that its interrupt came to.</summary>
internal sealed class RpsKnob : Knob
{
    private const string File = "rps_cpus";

    public override string Name => "nic.rps";

    public override string Why => "with fewer queues than processors one of them would do all the receiving";

    public override Reading Read(CheckContext context) => QueueFiles.Read(context, File);

    /// <summary>All processors for throughput, where it is a card with fewer queues than there are; what was allowed stays allowed.</summary>
    public override Judgement Judge(CheckContext context, Reading now)
    {
        if (QueueFiles.Parse(now) is not { } queues)
            return Judgement.Unknown(now.Problem ?? $"\"{now.Text?.Trim()}\" is no list of masks");
        if (queues.FirstOrDefault(q => CpuList.ParseMask(q.Value) is null) is { Value: { } odd })
            return Judgement.Unknown($"\"{odd}\" is no mask of processors");
        IReadOnlyList<int> online = context.OnlineProcessors;
        if (NotNeeded(context, queues.Count >= online.Count) is { } reason)
            return new Judgement(true, reason, now.Text!) { Matters = false };
        bool met = queues.All(q => online.All(CpuList.ParseMask(q.Value)!.Contains));
        string all = string.Join(' ', queues.Select(q => $"{q.Queue}={CpuList.FormatMask(online.Union(CpuList.ParseMask(q.Value)!))}"));
        return new Judgement(met, all, all);
    }

    private static string? NotNeeded(CheckContext context, bool isQueueEach) =>
        context.Profile != TuningProfile.Throughput ? "as it is"
        : context.IsVirtual ? QueueFiles.NoInterrupt
        : isQueueEach ? "not needed: a queue for each processor"
        : null;

    public override string Command(CheckContext context, string value) => QueueFiles.Command(context, File, value);

    public override string? Write(CheckContext context, string value) => QueueFiles.Write(context, File, value);
}
