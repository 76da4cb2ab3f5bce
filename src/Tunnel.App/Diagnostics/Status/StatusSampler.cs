using System.Diagnostics;
using Tunnel.App.Diagnostics.Metering;

namespace Tunnel.App.Diagnostics.Status;

/// <summary>Looks once a second, keeps the last minutes for the charts, and wakes whoever waits for the next look. Thread-safe.</summary>
internal sealed class StatusSampler : IDisposable
{
    /// <summary>Seconds that are kept.</summary>
    public const int Kept = 300;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly ITunnelEnd _end;
    private readonly string _version;
    private readonly SessionRates _rates;
    private readonly Queue<RateSample> _history = new(Kept + 1);
    private readonly DateTimeOffset _started;
    private readonly Timer _timer;
    private Counts _last;
    private StatusReport _report;
    private TaskCompletionSource _next = NewSignal();

    public StatusSampler(ITunnelEnd end, string version)
    {
        _end = end;
        _version = version;
        _rates = new SessionRates(end);
        using (Process self = Process.GetCurrentProcess())
            _started = self.StartTime.ToUniversalTime();
        Reading reading = Reading.Take(end);
        _last = Counts.Of(reading, Environment.TickCount64);
        _report = Report(reading, _last.Since(_last, reading), 1);
        _timer = new Timer(_ => Look(), null, Interval, Interval);
    }

    /// <summary>What was seen last, at most a second ago.</summary>
    public StatusReport Report()
    {
        lock (_lock)
            return _report;
    }

    /// <summary>The last minutes, oldest first.</summary>
    public IReadOnlyList<RateSample> GetHistory()
    {
        lock (_lock)
            return [.. _history];
    }

    /// <summary>Ends at the next look.</summary>
    public Task NextAsync()
    {
        lock (_lock)
            return _next.Task;
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        TaskCompletionSource looked;
        lock (_lock)
        {
            long now = Environment.TickCount64;
            // A timer that is late catches up with itself; nothing can be said of no time.
            if (now - _last.At < Interval.TotalMilliseconds / 2)
                return;
            Reading reading = Reading.Take(_end);
            Counts counts = Counts.Of(reading, now);
            RateSample sample = counts.Since(_last, reading);
            _report = Report(reading, sample, (now - _last.At) / 1000.0);
            _last = counts;
            _history.Enqueue(sample);
            if (_history.Count > Kept)
                _history.Dequeue();
            (looked, _next) = (_next, NewSignal());
        }

        looked.SetResult();
    }

    private StatusReport Report(Reading reading, RateSample now, double seconds)
    {
        (SessionReport[] sessions, StreamReport[] streams) = _rates.Read(seconds);
        string? unready = _end.Unready;
        return new StatusReport
        {
            Version = _version,
            Role = _end.Role,
            Pid = Environment.ProcessId,
            Started = _started,
            UptimeSeconds = (DateTimeOffset.UtcNow - _started).TotalSeconds,
            Link = _end.Link,
            Ready = unready is null,
            Unready = unready,
            Now = now,
            SessionCount = now.Sessions,
            Sessions = sessions,
            StreamCount = now.Streams,
            Streams = streams,
            Connections = _end.GetConnections(),
            Memory = new MemoryReport(now.ResidentBytes, now.HeapBytes, reading.Sessions.Sum(s => s.Memory), _end.MemoryLimit),
            Gc = new GarbageReport(
                [.. Enumerable.Range(0, GC.MaxGeneration + 1).Select(GC.CollectionCount)],
                GC.GetTotalPauseDuration().TotalMilliseconds,
                GC.GetTotalAllocatedBytes()),
        };
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
