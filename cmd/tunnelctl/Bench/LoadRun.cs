using System.Diagnostics;
using Tunnel.Ctl.Bench.Workloads;

namespace Tunnel.Ctl.Bench;

/// <summary>One round at one concurrency: workers that do their operations until the window closes.</summary>
internal sealed class LoadRun
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromMilliseconds(50);

    /// <summary>The share of the window, one in so many, that an operation takes which is stuck.</summary>
    private const int StuckShare = 10;

    /// <summary>After a failure: a target that refuses must not be asked a hundred thousand times a second.</summary>
    private static readonly TimeSpan FailurePause = TimeSpan.FromMilliseconds(10);

    private readonly LoadPlan _plan;
    private readonly LoadWorker[] _workers;
    private readonly ProcessMeter _processes;
    private long _from;
    private long _until;
    private long _tickets;

    public LoadRun(LoadPlan plan, int concurrency, Func<int, IWorkload> workload, IReadOnlyList<int> processes)
    {
        _plan = plan;
        _processes = new ProcessMeter(processes);
        _workers = [.. Enumerable.Range(0, concurrency).Select(i => new LoadWorker(this, i, concurrency, workload(i)))];
    }

    /// <summary>Operations measured so far, for whoever watches.</summary>
    public long Progress => _workers.Sum(w => w.Tally.Operations);

    /// <exception cref="OperationCanceledException">The user stopped it.</exception>
    public async Task<RoundResult> RunAsync(CancellationToken cancel)
    {
        if (_plan.HoldsStill)
            await _processes.WaitForRestAsync(cancel).ConfigureAwait(false);
        _processes.Start();
        long start = Stopwatch.GetTimestamp();
        _from = _plan.Requests is null ? start + TicksOf(_plan.WarmUp) : long.MaxValue;
        _until = _plan.Requests is null ? _from + TicksOf(_plan.Duration) : long.MaxValue;
        Task[] running = [.. _workers.Select(w => Task.Run(w.RunAsync, CancellationToken.None))];
        Task all = Task.WhenAll(running);
        try
        {
            await WatchAsync(all, cancel).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Exchange(ref _until, Math.Min(Volatile.Read(ref _until), Stopwatch.GetTimestamp()));
            // Before thousands of connections are closed, which takes time and memory that holding them does not.
            _processes.Stop();
            foreach (LoadWorker worker in _workers)
                worker.Abort();
            await all.ConfigureAwait(false);
        }

        cancel.ThrowIfCancellationRequested();
        return Sum();
    }

    /// <summary>Sees to timeouts, so that operations need no timer each, and to the window's end.</summary>
    private async Task WatchAsync(Task all, CancellationToken cancel)
    {
        bool measuring = false;
        while (!all.IsCompleted)
        {
            cancel.ThrowIfCancellationRequested();
            long now = Stopwatch.GetTimestamp();
            if (!measuring && now >= Volatile.Read(ref _from))
            {
                measuring = true;
                // By number of requests, whoever opens the window has done so.
                if (_plan.Requests is null)
                    _processes.Mark();
            }

            if (now >= Volatile.Read(ref _until))
                return;
            foreach (LoadWorker worker in _workers)
                worker.CheckTimeout(now);
            long left = Math.Min(Volatile.Read(ref measuring ? ref _until : ref _from) - now, TicksOf(WatchPeriod));
            await Task.WhenAny(all, Task.Delay(TimeSpan.FromSeconds((double)Math.Max(left, 1) / Stopwatch.Frequency), CancellationToken.None))
                .ConfigureAwait(false);
        }
    }

    private RoundResult Sum()
    {
        var total = new Tally();
        foreach (LoadWorker worker in _workers)
            total.Add(worker.Tally);
        IReadOnlyList<ProcessUse> processes = _processes.Uses;
        double seconds = Math.Max(0, _until - _from) / (double)Stopwatch.Frequency;
        return RoundResult.Of(total, seconds, processes);
    }

    /// <summary>
    /// By time: what starts within the window. By number of requests: the first ones are the warm-up, then the window opens, then
    /// there are no more.
    /// </summary>
    private bool TryBegin(long start, out bool isMeasured)
    {
        isMeasured = start >= Volatile.Read(ref _from);
        if (_plan.Requests is not { } requests)
            return true;
        long ticket = Interlocked.Increment(ref _tickets) - 1;
        long warmUp = Math.Max(_workers.Length, requests / 10);
        if (ticket == warmUp)
        {
            _processes.Mark();
            Volatile.Write(ref _from, start);
        }

        isMeasured = ticket >= warmUp;
        return ticket < warmUp + requests;
    }

    private static long TicksOf(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private static long Nanoseconds(long ticks) => (long)(ticks * (1e9 / Stopwatch.Frequency));

    /// <summary>One after the other, or by its share of the schedule.</summary>
    private sealed class LoadWorker(LoadRun run, int index, int count, IWorkload workload)
    {
        private const long Idle = long.MaxValue;

        private long _operationStart = Idle;
        private volatile bool _timedOut;
        private volatile bool _aborted;

        public Tally Tally { get; } = new();

        public async Task RunAsync()
        {
            try
            {
                if (run._plan.Rate is { } rate)
                    await FollowScheduleAsync(count / rate).ConfigureAwait(false);
                else
                    await GoOnAsync().ConfigureAwait(false);
            }
            finally
            {
                workload.Dispose();
            }
        }

        public void CheckTimeout(long now)
        {
            long start = Volatile.Read(ref _operationStart);
            if (start == Idle || now - start < TicksOf(run._plan.Timeout))
                return;
            _timedOut = true;
            workload.Abort();
        }

        public void Abort()
        {
            _aborted = true;
            workload.Abort();
        }

        private bool IsOver(long now) => _aborted || now >= Volatile.Read(ref run._until);

        private async Task GoOnAsync()
        {
            long start = Stopwatch.GetTimestamp();
            while (!IsOver(start) && run.TryBegin(start, out bool isMeasured))
            {
                await OperateAsync(start, isMeasured).ConfigureAwait(false);
                start = Stopwatch.GetTimestamp();
            }
        }

        /// <summary>
        /// An operation that is due while the one before is not done has begun to wait then: its time counts from the schedule. When
        /// the worker slept until it was due, being woken late is this program's fault and not the target's.
        /// </summary>
        private async Task FollowScheduleAsync(double period)
        {
            double step = period * Stopwatch.Frequency;
            double due = Stopwatch.GetTimestamp() + step * index / count;
            for (; ; due += step)
            {
                long now = Stopwatch.GetTimestamp();
                long start = (long)due;
                if (now < start)
                {
                    await Task.Delay(TimeSpan.FromSeconds((start - now) / (double)Stopwatch.Frequency)).ConfigureAwait(false);
                    start = Math.Max(start, Stopwatch.GetTimestamp());
                }

                if (IsOver(Stopwatch.GetTimestamp()))
                    break;
                // All requests were made: none was missed, and there is no end of the window to count up to.
                if (!run.TryBegin(start, out bool isMeasured))
                    return;
                await OperateAsync(start, isMeasured).ConfigureAwait(false);
            }

            CountMissed(due, step);
        }

        private void CountMissed(double due, double step)
        {
            long until = Volatile.Read(ref run._until);
            for (; due < until; due += step)
            {
                if (due >= Volatile.Read(ref run._from))
                    Tally.CountUnfinished(Nanoseconds(until - (long)due));
            }
        }

        private async Task OperateAsync(long start, bool isMeasured)
        {
            Volatile.Write(ref _operationStart, Stopwatch.GetTimestamp());
            try
            {
                long bytes = await workload.OperateAsync(Tally.Connect, isMeasured).ConfigureAwait(false);
                long end = Stopwatch.GetTimestamp();
                if (isMeasured && end <= Volatile.Read(ref run._until))
                    Tally.CountOperation(Nanoseconds(end - start), bytes);
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or ObjectDisposedException
                or OperationCanceledException or InvalidOperationException)
            {
                await FailAsync(e, start, isMeasured).ConfigureAwait(false);
            }
            finally
            {
                Volatile.Write(ref _operationStart, Idle);
            }
        }

        /// <summary>
        /// Every worker is at something when the window closes. What has taken a tenth of the window by then did not happen to be cut off: left
        /// out, a target that keeps all but a few workers waiting would look fast.
        /// </summary>
        private bool IsStuck(long ticks) => !run._plan.HoldsStill && ticks >= TicksOf(run._plan.Duration) / StuckShare;

        /// <summary>What is held began before the window and is lost in it.</summary>
        private bool IsLost() => run._plan.HoldsStill && Stopwatch.GetTimestamp() >= Volatile.Read(ref run._from);

        private async Task FailAsync(Exception e, long start, bool isMeasured)
        {
            if (_aborted)
            {
                long soFar = Stopwatch.GetTimestamp() - start;
                if (isMeasured && (run._plan.Rate is not null || IsStuck(soFar)))
                    Tally.CountUnfinished(Nanoseconds(soFar));
                return;
            }

            if (isMeasured || IsLost())
                Tally.CountError(_timedOut ? LoadError.Timeout : LoadErrors.KindOf(e));
            _timedOut = false;
            workload.Reset();
            await Task.Delay(FailurePause).ConfigureAwait(false);
        }
    }
}
