using Tunnel.App.Diagnostics.Profiles.Nettrace;

namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>What all kinds of profiles take from a stream: stacks, and in the end the names of their methods.</summary>
internal abstract class RecordedStacks : INettraceSink
{
    private readonly MethodTable _methods = new();

    protected StackTable Stacks { get; } = new();

    public void OnStack(int id, ReadOnlySpan<byte> addresses) => Stacks.Set(id, addresses);

    public void OnStacksForgotten() => Stacks.Forget();

    public void OnEvent(in NettraceEvent e)
    {
        if (e.Type.Known == KnownEvent.MethodCode)
            _methods.Add(e.Payload);
        else if (e.Type.Known != KnownEvent.Other)
            Take(e);
    }

    protected abstract void Take(in NettraceEvent e);

    /// <summary>The methods of a stack, the innermost first. Code without a name (the runtime's stubs) is left out.</summary>
    protected List<string> FramesOf(int stack)
    {
        if (stack == StackTable.Overflow)
            return ["[more different stacks than are kept]"];
        var frames = new List<string>();
        ReadOnlySpan<ulong> addresses = Stacks[stack];
        for (int i = 0; i < addresses.Length; i++)
        {
            // All but the innermost are where a call returns to, which may be another method's beginning already.
            if (_methods.Find(i == 0 ? addresses[i] : addresses[i] - 1) is { } name)
                frames.Add(name);
        }

        return frames;
    }
}
