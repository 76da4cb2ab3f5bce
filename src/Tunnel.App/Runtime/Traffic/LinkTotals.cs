using Tunnel.Links;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime.Traffic;

/// <summary>What several links of one kind have done together. One owner.</summary>
public sealed class LinkTotals
{
    public LinkCounters Counters { get; private set; }

    /// <summary>By <see cref="DropReason"/>.</summary>
    public long[] Drops { get; } = new long[Enum.GetValues<DropReason>().Length];

    /// <summary>Frames that the guard let pass.</summary>
    public long GuardPassed { get; set; }

    /// <summary>Frames received at one go.</summary>
    public HistogramSum Batches { get; } = new();

    /// <summary>Datagrams in merged frames that were received.</summary>
    public HistogramSum Merged { get; } = new();

    public long GetDrops(DropReason reason) => Drops[(int)reason];

    public void Add(in LinkCounters counters) => Counters += counters;

    public void Add(LinkTotals other)
    {
        Add(other.Counters);
        for (int i = 0; i < Drops.Length; i++)
            Drops[i] += other.Drops[i];
        GuardPassed += other.GuardPassed;
        Batches.Add(other.Batches);
        Merged.Add(other.Merged);
    }
}
