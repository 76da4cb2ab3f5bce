namespace Tunnel.App.Hosting;

/// <summary>
/// Memory that is reserved and never touched, so that it takes none of the machine's. The collector lets as much be allocated between two
/// collections as a multiple of what the last one found in use, of large arrays and of pinned ones three MiB at the least: a window that
/// grows, or a reader that stands still for a moment, would have everybody held up for a collection of all generations, under load.
/// </summary>
internal static class Ballast
{
    /// <summary>Of large and of pinned arrays each. Measured: 55 MiB of either may come until the collector looks, instead of three.</summary>
    private const int Bytes = 16 << 20;

    /// <summary>Below this the reservation would be felt: a container's limit counts it.</summary>
    private const long LeastMemory = 512L << 20;

    private static Untouched[]? _large;
    private static Untouched[]? _pinned;

    /// <summary>
    /// Takes the ballast on board, and has the collector weigh it: what starting left behind goes with it. What is alive grows old with a
    /// collection for each generation; else the first ones under load would move all that starting made.
    /// </summary>
    public static void Load()
    {
        if (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >= LeastMemory)
        {
            _large ??= GC.AllocateUninitializedArray<Untouched>(Bytes);
            _pinned ??= GC.AllocateUninitializedArray<Untouched>(Bytes, pinned: true);
        }

        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
            GC.Collect();
    }

    /// <summary>A byte by a name of its own, which is what heap profiles show.</summary>
    private enum Untouched : byte
    {
        None,
    }
}
