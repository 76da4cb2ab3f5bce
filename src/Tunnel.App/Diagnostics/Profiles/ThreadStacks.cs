using Tunnel.App.Diagnostics.Profiles.Nettrace;

namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>Where every managed thread is: its stack at the sampler's last tick.</summary>
internal sealed class ThreadStacks(ThreadClock names) : RecordedStacks
{
    private readonly Dictionary<long, int> _last = [];

    /// <summary>A sample has come.</summary>
    public bool HasSamples => _last.Count != 0;

    public StackProfile Build()
    {
        var kind = new ValueKind("threads", "count");
        var profile = new StackProfileBuilder(kind);
        Dictionary<long, string> named = names.Spent.ToDictionary(t => t.Thread, t => t.Name);
        foreach ((long thread, int stack) in _last)
            profile.Add(FramesOf(stack), named.GetValueOrDefault(thread, $"{thread}"), 1);
        return profile.Build() with { PeriodKind = kind, Period = 1, Comments = ["the stack of each managed thread at one moment"] };
    }

    protected override void Take(in NettraceEvent e)
    {
        if (e.Type.Known == KnownEvent.ThreadSample)
            _last[e.Thread] = Stacks.Find(e.Stack);
    }
}
