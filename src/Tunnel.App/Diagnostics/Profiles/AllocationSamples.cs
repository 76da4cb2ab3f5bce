using System.Globalization;
using System.Runtime.InteropServices;
using Tunnel.App.Diagnostics.Profiles.Nettrace;

namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>
/// What was allocated, by stack and type. The runtime picks allocations at random, each byte with the same chance, one in 100 KiB on
/// average; from the objects that were hit follows what there must have been.
/// </summary>
internal sealed class AllocationSamples : RecordedStacks
{
    /// <summary>Bytes between two samples, on average.</summary>
    private const double MeanDistance = 102_400;

    private static readonly ValueKind Objects = new("alloc_objects", "count"), Space = new("alloc_space", "bytes");

    private readonly Dictionary<(string Type, int Stack), (double Objects, double Bytes)> _seen = [];
    private readonly Dictionary<string, string> _types = [];
    private int _samples;

    public StackProfile Build(TimeSpan duration)
    {
        var profile = new StackProfileBuilder(Objects, Space);
        foreach (((string type, int stack), (double objects, double bytes)) in _seen)
            profile.Add([$"[{type}]", .. FramesOf(stack)], null, (long)Math.Round(objects), (long)Math.Round(bytes));
        return profile.Build() with
        {
            PeriodKind = new ValueKind("space", "bytes"),
            Period = (long)MeanDistance,
            Duration = duration,
            Comments = [string.Create(CultureInfo.InvariantCulture, $"estimated from {_samples} sampled allocations; the innermost frame is the type")],
        };
    }

    protected override void Take(in NettraceEvent e)
    {
        if (e.Type.Known != KnownEvent.AllocationSampled)
            return;
        var cursor = new PayloadCursor(e.Payload);
        // Kind of heap, runtime's number, type's identity.
        cursor.Take(4 + 2 + 8);
        string type = Intern(cursor.ReadText());
        // The object's address.
        cursor.Take(8);
        double size = cursor.ReadUInt64();
        double chance = 1 - Math.Exp(-size / MeanDistance);
        ref (double Objects, double Bytes) seen =
            ref CollectionsMarshal.GetValueRefOrAddDefault(_seen, (type, Stacks.Find(e.Stack)), out _);
        seen.Objects += 1 / chance;
        seen.Bytes += size / chance;
        _samples++;
    }

    private string Intern(string type)
    {
        if (_types.TryGetValue(type, out string? known))
            return known;
        return _types[type] = type;
    }
}
