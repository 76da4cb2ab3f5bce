namespace Tunnel.Links.Host.Ethtool;

/// <summary>What a network card tells about itself and lets be set. Does not throw: what is refused is said why.</summary>
public interface INicDevice
{
    NicAnswer<NicRings> Rings();

    NicAnswer<NicChannels> Channels();

    NicAnswer<NicCoalescing> Coalescing();

    NicAnswer<NicDriver> Driver();

    NicOffloads Offloads();

    /// <summary>The driver's own counters, in its order.</summary>
    NicAnswer<IReadOnlyList<NicStatistic>> Statistics();

    /// <summary>For each receiving queue how many slots of the table that spreads flows (RSS) lead to it.</summary>
    NicAnswer<IReadOnlyList<int>> Spread();

    /// <summary>Null when it is done, else why not.</summary>
    string? SetRings(uint rx, uint tx);

    /// <inheritdoc cref="SetRings"/>
    string? SetCoalescing(NicCoalescing wanted);
}
