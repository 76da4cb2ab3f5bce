namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>Puts a profile together from stacks of names.</summary>
internal sealed class StackProfileBuilder(params ValueKind[] kinds)
{
    private readonly List<string> _functions = [];
    private readonly Dictionary<string, int> _indices = [];
    private readonly List<StackSample> _samples = [];

    public void Add(IEnumerable<string> frames, string? thread, params long[] values)
    {
        if (Array.TrueForAll(values, v => v == 0))
            return;
        _samples.Add(new StackSample([.. frames.Select(IndexOf)], values, thread));
    }

    public StackProfile Build() => new(kinds, _functions, _samples);

    private int IndexOf(string function)
    {
        if (!_indices.TryGetValue(function, out int index))
        {
            _indices[function] = index = _functions.Count;
            _functions.Add(function);
        }

        return index;
    }
}
