using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Tunnel.App.Diagnostics.Profiles.Nettrace;

namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>
/// Processor time by stack. The runtime's sampler stops all managed threads a thousand times a second and notes every stack, whether
/// that thread runs or waits; the kernel knows how long each thread ran, but not where. Together: a thread's processor time is shared
/// out among its samples, first to those in managed code, a period each, then to those in native calls, last to those that wait. So
/// the sum is the processor time that the process really took, and threads that wait weigh nothing.
/// </summary>
internal sealed class CpuSamples(ThreadClock clock) : RecordedStacks
{
    private const int Managed = 2;

    private static readonly ValueKind Samples = new("samples", "count"), Cpu = new("cpu", "nanoseconds");

    private readonly Dictionary<(long Thread, int Stack), Seen> _seen = [];

    /// <param name="duration">For how long samples were taken.</param>
    public StackProfile Build(TimeSpan duration)
    {
        Dictionary<long, List<Place>> threads = GroupByThread();
        long most = threads.Count == 0 ? 0 : threads.Values.Max(places => places.Sum(p => p.Seen.All));
        double period = most == 0 ? 1e6 : duration.TotalNanoseconds / most;
        var profile = new StackProfileBuilder(Samples, Cpu);
        Dictionary<long, (string Name, long Nanoseconds)> spent = clock.Spent.ToDictionary(t => t.Thread, t => (t.Name, t.Nanoseconds));
        foreach ((long thread, List<Place> places) in threads)
        {
            (string Name, long Nanoseconds)? known = spent.TryGetValue(thread, out var time) ? time : null;
            ShareOut(places, known is { } k ? k.Nanoseconds / period : places.Sum(p => p.Seen.Managed + p.NativeCalls));
            foreach (Place place in places)
                Add(profile, place.Frames, known?.Name ?? $"{thread}", place.Weight * period, period);
        }

        // Collector, compiler, sampler: threads without managed code, hence without stacks.
        foreach ((long thread, (string name, long nanoseconds)) in spent.Where(t => !threads.ContainsKey(t.Key)))
            Add(profile, [$"[native thread {name}]"], name, nanoseconds, period);
        return profile.Build() with
        {
            PeriodKind = Cpu,
            Period = (long)period,
            Duration = duration,
            Comments =
            [
                "processor time as the kernel accounts it to each thread, shared out among the thread's samples that did not wait",
                "the native thread .NET EventPipe is the profiling itself",
                string.Create(CultureInfo.InvariantCulture, $"stacks of {threads.Count} threads, {most} times"),
            ],
        };
    }

    protected override void Take(in NettraceEvent e)
    {
        if (e.Type.Known != KnownEvent.ThreadSample || e.Payload.Length < 4)
            return;
        ref Seen seen = ref CollectionsMarshal.GetValueRefOrAddDefault(_seen, (e.Thread, Stacks.Find(e.Stack)), out _);
        if (BinaryPrimitives.ReadInt32LittleEndian(e.Payload) == Managed)
            seen.Managed++;
        else
            seen.Native++;
    }

    private static void Add(StackProfileBuilder profile, IEnumerable<string> frames, string thread, double nanoseconds, double period) =>
        profile.Add(frames, thread, (long)Math.Round(nanoseconds / period), (long)nanoseconds);

    /// <summary>Gives each place its part of so many samples.</summary>
    private static void ShareOut(List<Place> places, double running)
    {
        running = Spread(places, running, p => p.Seen.Managed);
        running = Spread(places, running, p => p.NativeCalls);
        running = Spread(places, running, p => p.Waits);
        double all = places.Sum(p => p.Weight);
        // More time than samples: samples were lost.
        foreach (Place place in places)
            place.Weight *= all > 0 ? (all + running) / all : 1;
    }

    /// <returns>What is left.</returns>
    private static double Spread(List<Place> places, double running, Func<Place, int> samplesOf)
    {
        int samples = places.Sum(samplesOf);
        if (samples == 0)
            return running;
        double share = Math.Min(1, running / samples);
        foreach (Place place in places)
            place.Weight += samplesOf(place) * share;
        return Math.Max(0, running - samples);
    }

    private Dictionary<long, List<Place>> GroupByThread()
    {
        var threads = new Dictionary<long, List<Place>>();
        var frames = new Dictionary<int, List<string>>();
        foreach (((long thread, int stack), Seen seen) in _seen)
        {
            if (!frames.TryGetValue(stack, out List<string>? names))
                frames[stack] = names = StoppingFrames.Without(FramesOf(stack));
            ref List<Place>? places = ref CollectionsMarshal.GetValueRefOrAddDefault(threads, thread, out _);
            (places ??= []).Add(new Place(names, seen));
        }

        return threads;
    }

    private struct Seen
    {
        public int Managed;
        public int Native;

        public readonly int All => Managed + Native;
    }

    /// <summary>A stack of one thread.</summary>
    private sealed class Place(List<string> frames, Seen seen)
    {
        private readonly bool _waits = WaitingFrames.Waits(frames);

        public List<string> Frames => frames;

        public Seen Seen => seen;

        public int NativeCalls => _waits ? 0 : seen.Native;

        public int Waits => _waits ? seen.Native : 0;

        /// <summary>Samples that count as running.</summary>
        public double Weight { get; set; }
    }
}
