namespace Tunnel.Links.Host.Ethtool;

/// <summary>What a driver answered, or why there is no answer. Exactly one of the two is there.</summary>
/// <param name="Value">The answer.</param>
/// <param name="Problem">In the kernel's words: "Operation not supported (errno 95)".</param>
public readonly record struct NicAnswer<T>(T? Value, string? Problem)
    where T : class;

/// <summary>The rings of descriptors between driver and card.</summary>
/// <param name="Rx">Descriptors for receiving.</param>
/// <param name="Tx">Descriptors for sending.</param>
/// <param name="MaxRx">As many as the driver allows.</param>
/// <param name="MaxTx">As many as the driver allows.</param>
public sealed record NicRings(uint Rx, uint Tx, uint MaxRx, uint MaxTx);

/// <summary>The channels (queues with an interrupt of their own): for receiving, for sending, or for both.</summary>
public sealed record NicChannels(uint Rx, uint Tx, uint Combined, uint MaxRx, uint MaxTx, uint MaxCombined)
{
    /// <summary>Queues that receive.</summary>
    public uint Receiving => Rx + Combined;

    /// <summary>As many of those as the driver allows.</summary>
    public uint MaxReceiving => Math.Max(MaxRx, MaxCombined);
}

/// <summary>How long the card waits before it interrupts. What the driver has not is null, and is not set either.</summary>
/// <param name="AdaptiveRx">The driver decides by itself, from the load.</param>
/// <param name="RxUsecs">Microseconds after a packet.</param>
/// <param name="RxFrames">Packets.</param>
public sealed record NicCoalescing(bool? AdaptiveRx, uint? RxUsecs, uint? RxFrames);

/// <summary>Which driver it is, and what it sits on.</summary>
public sealed record NicDriver(string Name, string Version, string Bus);

/// <summary>What merges or cuts segments; null where it cannot be asked.</summary>
public sealed record NicOffloads(bool? Gro, bool? Lro, bool? Tso, bool? Gso);

/// <summary>One of a driver's own counters.</summary>
public readonly record struct NicStatistic(string Name, ulong Value);
