using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Tunnel.App.Diagnostics.Profiles.Nettrace;

namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>Makes profiles of a .NET process: this one, or another of the same user.</summary>
/// <param name="process">Its id.</param>
public sealed class Profiler(int process)
{
    private const long GCKeyword = 0x1;
    private const long GCHeapDump = 0x100000;
    private const long GCHeapCollect = 0x800000;
    private const long GCHeapAndTypeNames = 0x1000000;
    private const long TypeNames = 0x80000;
    private const long AllocationSampling = 0x80000000000;

    /// <summary>Loader, JIT, precompiled code, and that the rundown says it is complete: enough for names.</summary>
    private const long MethodNames = 0x138;

    /// <summary>What dotnet-trace asks for, with which every tool can do its work.</summary>
    private const long FullRundown = 0x80020139;

    private const long DefaultRuntimeEvents = 0x14C14FCCBD;

    private static readonly TimeSpan ClockStep = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan HeapLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ThreadsLimit = TimeSpan.FromMilliseconds(100);
    private static readonly EventPipeProvider Sampler = new(NettraceEventType.Sampler, EventLevel.Informational);

    /// <summary>Processor time by stack: see <see cref="CpuSamples"/>.</summary>
    /// <param name="duration">For how long.</param>
    /// <param name="copy">Takes the trace itself, too (.nettrace); null if nobody wants it.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="ProfilerException">It cannot be made.</exception>
    public async Task<StackProfile> CpuAsync(TimeSpan duration, Stream? copy, CancellationToken cancel)
    {
        var clock = new ThreadClock(process);
        var samples = new CpuSamples(clock);
        DateTimeOffset start = DateTimeOffset.UtcNow;
        clock.Read();
        long rundown = copy is null ? MethodNames : FullRundown;
        var request = new EventPipeRecorder.Request(copy is null ? [Sampler] : TraceProviders, rundown);
        long began = Environment.TickCount64, ended = began;
        await EventPipeRecorder.RecordAsync(process, request, s => ReadAsync(s, samples, copy), WatchAsync, cancel).ConfigureAwait(false);
        return samples.Build(TimeSpan.FromMilliseconds(ended - began)) with { Start = start };

        async Task WatchAsync(CancellationToken stop)
        {
            began = Environment.TickCount64;
            while ((ended = Environment.TickCount64) - began < duration.TotalMilliseconds)
            {
                TimeSpan left = duration - TimeSpan.FromMilliseconds(ended - began);
                await Task.Delay(left < ClockStep ? left : ClockStep, stop).ConfigureAwait(false);
                clock.Read();
            }
        }
    }

    /// <summary>Allocations by type and stack: see <see cref="AllocationSamples"/>.</summary>
    /// <exception cref="ProfilerException">It cannot be made.</exception>
    public async Task<StackProfile> AllocationsAsync(TimeSpan duration, CancellationToken cancel)
    {
        var samples = new AllocationSamples();
        DateTimeOffset start = DateTimeOffset.UtcNow;
        var request = new EventPipeRecorder.Request([Runtime(AllocationSampling, EventLevel.Informational)], MethodNames);
        await EventPipeRecorder.RecordAsync(process, request, s => ReadAsync(s, samples), stop => Task.Delay(duration, stop), cancel)
            .ConfigureAwait(false);
        return samples.Build(duration) with { Start = start };
    }

    /// <summary>Live objects by type, after a full collection, which stops the process for as long as it takes.</summary>
    /// <exception cref="ProfilerException">It cannot be made.</exception>
    public async Task<StackProfile> HeapAsync(CancellationToken cancel)
    {
        // The runtime names a type once; the end of a session makes it forget which it has named.
        var flush = new EventPipeRecorder.Request([Runtime(TypeNames, EventLevel.Informational)], 0);
        await EventPipeRecorder.RecordAsync(process, flush, s => s.CopyToAsync(Stream.Null, cancel), _ => Task.CompletedTask, cancel)
            .ConfigureAwait(false);

        var objects = new HeapObjects();
        DateTimeOffset start = DateTimeOffset.UtcNow;
        const long Dump = GCKeyword | GCHeapDump | GCHeapCollect | GCHeapAndTypeNames | TypeNames;
        var request = new EventPipeRecorder.Request([Runtime(Dump, EventLevel.Verbose)], 0);
        await EventPipeRecorder.RecordAsync(
            process, request, s => ReadAsync(s, objects), stop => objects.Dumped.WaitAsync(HeapLimit, stop), cancel).ConfigureAwait(false);
        return objects.Build() with { Start = start };
    }

    /// <summary>The stack of each managed thread.</summary>
    /// <exception cref="ProfilerException">It cannot be made.</exception>
    public async Task<StackProfile> ThreadsAsync(CancellationToken cancel)
    {
        var names = new ThreadClock(process);
        names.Read();
        var stacks = new ThreadStacks(names);
        DateTimeOffset start = DateTimeOffset.UtcNow;
        var request = new EventPipeRecorder.Request([Sampler], MethodNames);
        await EventPipeRecorder.RecordAsync(process, request, s => ReadAsync(s, stacks), stop => Task.Delay(ThreadsLimit, stop), cancel)
            .ConfigureAwait(false);
        return stacks.Build() with { Start = start };
    }

    /// <summary>Everything as it comes (.nettrace): samples, the runtime's events, the tunnel's own.</summary>
    /// <exception cref="ProfilerException">It cannot be recorded.</exception>
    public Task TraceAsync(TimeSpan duration, Stream destination, CancellationToken cancel) => EventPipeRecorder.RecordAsync(
        process,
        new EventPipeRecorder.Request(TraceProviders, FullRundown),
        source => source.CopyToAsync(destination, cancel),
        stop => Task.Delay(duration, stop),
        cancel);

    /// <summary>
    /// The processor profile that a trace holds (.nettrace). It does not say how long threads ran, so each sample that did not wait
    /// counts as one period.
    /// </summary>
    /// <param name="trace">Read to its end.</param>
    /// <param name="copy">Takes what is read.</param>
    /// <param name="duration">For how long it was recorded.</param>
    /// <exception cref="InvalidDataException">It is no trace.</exception>
    /// <exception cref="EndOfStreamException">It broke off.</exception>
    public static async Task<StackProfile> ReadTraceAsync(Stream trace, Stream copy, TimeSpan duration)
    {
        var samples = new CpuSamples(new ThreadClock(0));
        await ReadAsync(trace, samples, copy).ConfigureAwait(false);
        return samples.Build(duration);
    }

    private static EventPipeProvider[] TraceProviders =>
    [
        Sampler, Runtime(DefaultRuntimeEvents, EventLevel.Informational), new("Tunnel", EventLevel.Informational),
    ];

    private static EventPipeProvider Runtime(long keywords, EventLevel level) => new(NettraceEventType.Runtime, level, keywords);

    /// <summary>On a thread of its own: reading waits, and the pool's threads are the tunnel's.</summary>
    private static Task ReadAsync(Stream stream, INettraceSink sink, Stream? copy = null) => Task.Factory.StartNew(
        () => new NettraceReader(copy is null ? stream : new CopyingStream(stream, copy), sink).Run(),
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);
}
