using System.Runtime.InteropServices;
using Tunnel.App.Diagnostics.Profiles.Nettrace;

namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>The objects that are alive, counted by type, from the heap dump that a collection writes.</summary>
internal sealed class HeapObjects : INettraceSink
{
    private const uint Induced = 1;

    private static readonly ValueKind Objects = new("inuse_objects", "count"), Space = new("inuse_space", "bytes");

    private readonly Dictionary<ulong, string> _names = [];
    private readonly Dictionary<ulong, (long Objects, long Bytes)> _seen = [];
    private readonly TaskCompletionSource _dumped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int? _collection;

    /// <summary>Ends when the collection that wrote the dump has.</summary>
    public Task Dumped => _dumped.Task;

    public StackProfile Build()
    {
        var profile = new StackProfileBuilder(Objects, Space);
        foreach ((ulong type, (long objects, long bytes)) in _seen)
            profile.Add([_names.GetValueOrDefault(type, $"[type {type:x}]")], null, objects, bytes);
        return profile.Build() with
        {
            PeriodKind = Space,
            Period = 1,
            Comments = ["every object that a full collection left, by type; there are no stacks of where they were allocated"],
        };
    }

    public void OnStack(int id, ReadOnlySpan<byte> addresses)
    {
        // A dump has none.
    }

    public void OnStacksForgotten()
    {
        // A dump has none.
    }

    public void OnEvent(in NettraceEvent e)
    {
        switch (e.Type.Known)
        {
            case KnownEvent.GCStart:
                TakeStart(e.Payload);
                break;
            case KnownEvent.GCEnd:
                if (new PayloadCursor(e.Payload).ReadInt32() == _collection)
                    _dumped.TrySetResult();
                break;
            case KnownEvent.BulkType:
                TakeTypes(e.Payload);
                break;
            case KnownEvent.BulkNode:
                TakeNodes(e.Payload);
                break;
        }
    }

    private void TakeStart(ReadOnlySpan<byte> payload)
    {
        var cursor = new PayloadCursor(payload);
        int number = cursor.ReadInt32();
        int generation = cursor.ReadInt32();
        // The session's beginning induces one; others may come before it.
        if (generation == 2 && cursor.ReadInt32() == Induced)
            _collection ??= number;
    }

    private void TakeTypes(ReadOnlySpan<byte> payload)
    {
        var cursor = new PayloadCursor(payload);
        int count = cursor.ReadInt32();
        cursor.Take(2);
        for (int i = 0; i < count; i++)
        {
            ulong type = cursor.ReadUInt64();
            // Module, name's token, flags, kind.
            cursor.Take(8 + 4 + 4 + 1);
            _names[type] = cursor.ReadText();
            int parameters = cursor.ReadInt32();
            cursor.Take(checked(8 * parameters));
        }
    }

    private void TakeNodes(ReadOnlySpan<byte> payload)
    {
        var cursor = new PayloadCursor(payload);
        cursor.Take(4);
        int count = cursor.ReadInt32();
        cursor.Take(2);
        for (int i = 0; i < count; i++)
        {
            // The object's address.
            cursor.Take(8);
            long size = cursor.ReadInt64();
            ref (long Objects, long Bytes) seen = ref CollectionsMarshal.GetValueRefOrAddDefault(_seen, cursor.ReadUInt64(), out _);
            seen.Objects++;
            seen.Bytes += size;
            // How many objects it refers to.
            cursor.Take(8);
        }
    }
}
