using System.Diagnostics;

namespace Tunnel.App.Diagnostics.Metering;

/// <summary>
/// The process itself, for whoever reads only this program's figures. Listeners of System.Diagnostics.Metrics have the runtime's own
/// meter (System.Runtime) for that.
/// </summary>
internal static class ProcessMetrics
{
    private static readonly DateTime StartedAt = StartTime();

    public static readonly IReadOnlyList<Metric> All =
    [
        new NumberMetric("process.cpu.time", MetricKind.Counter, "s", "Processor time.",
            _ => Reading.By(
                "mode",
                ("user", Environment.CpuUsage.UserTime.TotalSeconds),
                ("system", Environment.CpuUsage.PrivilegedTime.TotalSeconds))),
        new NumberMetric("process.memory.usage", MetricKind.Level, "By", "Resident memory.", _ => Reading.One(Environment.WorkingSet)),
        new NumberMetric("process.uptime", MetricKind.Level, "s", "Since the process started.",
            _ => Reading.One((DateTime.UtcNow - StartedAt).TotalSeconds)),
        new NumberMetric("dotnet.gc.collections", MetricKind.Counter, "{collection}", "Garbage collections.",
            _ => Enumerable.Range(0, GC.MaxGeneration + 1).Select(g => new Sample(GC.CollectionCount(g), new Label("generation", $"gen{g}")))),
        new NumberMetric("dotnet.gc.pause.time", MetricKind.Counter, "s", "Time that collections held the process up.",
            _ => Reading.One(GC.GetTotalPauseDuration().TotalSeconds)),
        new NumberMetric("dotnet.gc.heap.total_allocated", MetricKind.Counter, "By", "Bytes allocated on the heap.",
            _ => Reading.One(GC.GetTotalAllocatedBytes())),
        new NumberMetric("dotnet.gc.heap.size", MetricKind.Level, "By", "Bytes on the heap.", _ => Reading.One(GC.GetTotalMemory(false))),
        new NumberMetric("dotnet.thread_pool.threads", MetricKind.Level, "{thread}", "The pool's threads.",
            _ => Reading.One(ThreadPool.ThreadCount)),
        new NumberMetric("dotnet.thread_pool.queue.length", MetricKind.Level, "{work_item}", "Work that waits for a thread of the pool.",
            _ => Reading.One(ThreadPool.PendingWorkItemCount)),
    ];

    private static DateTime StartTime()
    {
        using Process self = Process.GetCurrentProcess();
        return self.StartTime.ToUniversalTime();
    }
}
