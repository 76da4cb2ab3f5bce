using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Native;

/// <summary>A timerfd: a descriptor that becomes readable when its time has come. Not thread-safe.</summary>
internal sealed unsafe class WakeTimer : IDisposable
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    internal WakeTimer()
    {
        Descriptor = Libc.TimerCreate(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        if (Descriptor < 0)
            throw new LinkException(LinkFault.Other, $"cannot create a timer: {Libc.Describe(Libc.LastError)}");
    }

    internal int Descriptor { get; }

    /// <summary>Instead of what was set before. A time that is over comes at once.</summary>
    internal void Set(long nanoseconds)
    {
        long* time = stackalloc long[4];
        (time[0], time[1]) = (0, 0);
        // 0 would be never.
        (time[2], time[3]) = Math.DivRem(Math.Max(1, nanoseconds), NanosecondsPerSecond);
        _ = Libc.TimerSet(Descriptor, 0, time, null);
    }

    public void Dispose() => _ = Libc.Close(Descriptor);
}
