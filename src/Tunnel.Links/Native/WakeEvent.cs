using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Native;

/// <summary>An eventfd beside a descriptor: lets any thread end another one's poll. A signal that comes early is kept.</summary>
internal sealed unsafe class WakeEvent : IDisposable
{
    private readonly Lock _gate = new();
    private int _descriptor;

    internal WakeEvent()
    {
        _descriptor = Libc.EventFd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (_descriptor < 0)
            throw new LinkException(LinkFault.Other, $"cannot create an eventfd: {Libc.Describe(Libc.LastError)}");
    }

    /// <summary>Readable from a signal until somebody waits here, which consumes it.</summary>
    internal int Descriptor => _descriptor;

    internal void Set()
    {
        // The lock keeps a late Set away from a descriptor that Dispose gave back and the kernel gave to somebody else.
        lock (_gate)
        {
            ulong one = 1;
            if (_descriptor >= 0)
                _ = Libc.Write(_descriptor, &one, sizeof(ulong));
        }
    }

    /// <summary>
    /// Waits until <paramref name="descriptor"/> is readable or in error, a signal comes or the time is over. Returns poll's events of
    /// the descriptor (0 when none) and whether a signal was there, which it consumes.
    /// </summary>
    internal (short Events, bool Woken) Wait(int descriptor, int timeoutMilliseconds)
    {
        PollEntry* entries = stackalloc PollEntry[2];
        entries[0] = new PollEntry { Descriptor = descriptor, Wanted = POLLIN };
        entries[1] = new PollEntry { Descriptor = _descriptor, Wanted = POLLIN };

        // EINTR ends the wait early, as a timeout would: callers loop anyway.
        if (Libc.Poll(entries, 2, timeoutMilliseconds) <= 0)
            return (0, false);

        bool woken = (entries[1].Returned & POLLIN) != 0;
        if (woken)
        {
            ulong count;
            _ = Libc.Read(_descriptor, &count, sizeof(ulong));
        }

        return (entries[0].Returned, woken);
    }

    /// <summary>The same for several descriptors, whose events go into <paramref name="events"/>.</summary>
    internal void Wait(ReadOnlySpan<int> descriptors, Span<short> events, int timeoutMilliseconds)
    {
        PollEntry* entries = stackalloc PollEntry[descriptors.Length + 1];
        for (int i = 0; i < descriptors.Length; i++)
            entries[i] = new PollEntry { Descriptor = descriptors[i], Wanted = POLLIN };
        entries[descriptors.Length] = new PollEntry { Descriptor = _descriptor, Wanted = POLLIN };
        events.Clear();
        if (Libc.Poll(entries, (nuint)descriptors.Length + 1, timeoutMilliseconds) <= 0)
            return;
        for (int i = 0; i < descriptors.Length; i++)
            events[i] = entries[i].Returned;
        ulong count;
        if ((entries[descriptors.Length].Returned & POLLIN) != 0)
            _ = Libc.Read(_descriptor, &count, sizeof(ulong));
    }

    /// <summary>Waits for a signal, which it consumes, or until the nanoseconds are over; <see cref="long.MaxValue"/> is for ever.</summary>
    internal void Wait(long nanoseconds)
    {
        const long perSecond = 1_000_000_000;
        var entry = new PollEntry { Descriptor = _descriptor, Wanted = POLLIN };
        long* time = stackalloc long[2];
        (time[0], time[1]) = Math.DivRem(Math.Max(0, nanoseconds), perSecond);
        if (Libc.PollPrecisely(&entry, 1, nanoseconds == long.MaxValue ? null : time, null) <= 0)
            return;
        ulong count;
        _ = Libc.Read(_descriptor, &count, sizeof(ulong));
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_descriptor >= 0)
                _ = Libc.Close(_descriptor);
            _descriptor = -1;
        }
    }
}
