namespace Tunnel.App.Diagnostics.Profiles.Nettrace;

/// <summary>The events that profiles are made of.</summary>
internal enum KnownEvent
{
    Other,

    /// <summary>A thread's stack at a tick of the sampler.</summary>
    ThreadSample,

    /// <summary>A method's code: where it lies and what it is called.</summary>
    MethodCode,

    /// <summary>One of the allocations, chosen at random by bytes.</summary>
    AllocationSampled,

    GCStart,
    GCEnd,

    /// <summary>Type names of a heap dump.</summary>
    BulkType,

    /// <summary>Objects of a heap dump.</summary>
    BulkNode,
}

/// <summary>What the stream says once about each kind of its events.</summary>
internal sealed record NettraceEventType(string Provider, int Id, string Name)
{
    public const string Runtime = "Microsoft-Windows-DotNETRuntime";
    public const string Rundown = "Microsoft-Windows-DotNETRuntimeRundown";
    public const string Sampler = "Microsoft-DotNETCore-SampleProfiler";

    public KnownEvent Known { get; } = (Provider, Id) switch
    {
        (Sampler, 0) => KnownEvent.ThreadSample,
        (Rundown, 144) => KnownEvent.MethodCode,
        (Runtime, 303) => KnownEvent.AllocationSampled,
        (Runtime, 1) => KnownEvent.GCStart,
        (Runtime, 2) => KnownEvent.GCEnd,
        (Runtime, 15) => KnownEvent.BulkType,
        (Runtime, 18) => KnownEvent.BulkNode,
        _ => KnownEvent.Other,
    };
}

/// <summary>One event of a stream.</summary>
/// <param name="type">Its kind.</param>
/// <param name="thread">The kernel's number of the thread that it is about.</param>
/// <param name="stack">For <see cref="INettraceSink.OnStack"/>'s stacks; 0 is none.</param>
/// <param name="time">When, by the recorded host's <see cref="System.Diagnostics.Stopwatch"/>.</param>
/// <param name="payload">Its fields; valid during the call.</param>
internal readonly ref struct NettraceEvent(NettraceEventType type, long thread, int stack, long time, ReadOnlySpan<byte> payload)
{
    public NettraceEventType Type { get; } = type;

    public long Time { get; } = time;

    public long Thread { get; } = thread;

    public int Stack { get; } = stack;

    public ReadOnlySpan<byte> Payload { get; } = payload;
}

/// <summary>Takes what a stream holds, in its order.</summary>
internal interface INettraceSink
{
    /// <summary>A stack that later events refer to.</summary>
    /// <param name="id">Its number until <see cref="OnStacksForgotten"/>.</param>
    /// <param name="addresses">Return addresses, the innermost first, eight bytes each.</param>
    void OnStack(int id, ReadOnlySpan<byte> addresses);

    /// <summary>Numbers of stacks begin anew.</summary>
    void OnStacksForgotten();

    void OnEvent(in NettraceEvent e);
}
