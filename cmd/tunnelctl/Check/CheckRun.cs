using Tunnel.Ctl.Check.Topics;

namespace Tunnel.Ctl.Check;

/// <summary>One check from the first sample to the last finding.</summary>
internal static class CheckRun
{
    private static readonly TimeSpan SampleInterval = TimeSpan.FromSeconds(1);

    /// <summary>In the order of the report.</summary>
    public static IReadOnlyList<ITopic> Topics { get; } =
    [
        new HostTopic(), new FileTopic(), new ReachTopic(), new BacklogTopic(), new BuffersTopic(), new ReceivingTopic(), new PortsTopic(),
        new CongestionTopic(), new ConntrackTopic(), new LimitsTopic(), new InterfaceTopic(), new SlotTopic(), new InterruptsTopic(),
        new CpuTopic(), new BootTopic(),
    ];

    /// <param name="request">What to look at.</param>
    /// <param name="progress">Told what is being done.</param>
    public static async Task<CheckReport> RunAsync(CheckRequest request, Action<string> progress, CancellationToken cancel)
    {
        progress("watching the counters for a second");
        CheckContext context = await CheckContext.GatherAsync(request, () => Task.Delay(SampleInterval, cancel), cancel).ConfigureAwait(false);
        return await RunAsync(context, progress, cancel).ConfigureAwait(false);
    }

    public static async Task<CheckReport> RunAsync(CheckContext context, Action<string> progress, CancellationToken cancel)
    {
        List<FindingGroup> groups = [];
        foreach (ITopic topic in Topics)
        {
            progress(topic.Title);
            groups.Add(new FindingGroup(topic.Topic, topic.Title, await topic.LookAsync(context, cancel).ConfigureAwait(false)));
        }

        return new CheckReport(HostIdentity.Read(context), context, groups);
    }
}
