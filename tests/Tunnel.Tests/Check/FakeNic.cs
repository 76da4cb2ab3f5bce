using Tunnel.Links.Host.Ethtool;

namespace Tunnel.Tests.Check;

/// <summary>A card whose answers a test chooses and that remembers what it was set to.</summary>
internal sealed class FakeNic : INicDevice
{
    public NicAnswer<NicRings> RingAnswer { get; set; } = new(new NicRings(512, 512, 4096, 4096), null);

    public NicAnswer<NicChannels> ChannelAnswer { get; set; } = new(new NicChannels(0, 0, 1, 0, 0, 1), null);

    public NicAnswer<NicCoalescing> CoalescingAnswer { get; set; } = new(new NicCoalescing(false, 3, 0), null);

    public NicAnswer<NicDriver> DriverAnswer { get; set; } = new(new NicDriver("fake", "1", "0000:00:07.0"), null);

    public NicOffloads OffloadAnswer { get; set; } = new(true, false, true, true);

    public NicAnswer<IReadOnlyList<NicStatistic>> StatisticAnswer { get; set; } = new([], null);

    public NicAnswer<IReadOnlyList<int>> SpreadAnswer { get; set; } = new(null, "Operation not supported (errno 95)");

    /// <summary>Why nothing can be set.</summary>
    public string? Refusal { get; set; }

    public NicAnswer<NicRings> Rings() => RingAnswer;

    public NicAnswer<NicChannels> Channels() => ChannelAnswer;

    public NicAnswer<NicCoalescing> Coalescing() => CoalescingAnswer;

    public NicAnswer<NicDriver> Driver() => DriverAnswer;

    public NicOffloads Offloads() => OffloadAnswer;

    public NicAnswer<IReadOnlyList<NicStatistic>> Statistics() => StatisticAnswer;

    public NicAnswer<IReadOnlyList<int>> Spread() => SpreadAnswer;

    public string? SetRings(uint rx, uint tx)
    {
        if (Refusal is null)
            RingAnswer = new(RingAnswer.Value! with { Rx = rx, Tx = tx }, null);
        return Refusal;
    }

    /// <summary>As the kernel does it: a change that names what the driver has not is refused as a whole.</summary>
    public string? SetCoalescing(NicCoalescing wanted)
    {
        NicCoalescing now = CoalescingAnswer.Value!;
        if ((wanted.AdaptiveRx is not null && now.AdaptiveRx is null)
            || (wanted.RxUsecs is not null && now.RxUsecs is null)
            || (wanted.RxFrames is not null && now.RxFrames is null))
        {
            return "Operation not supported (errno 95)";
        }

        if (Refusal is null)
        {
            CoalescingAnswer = new(
                new(wanted.AdaptiveRx ?? now.AdaptiveRx, wanted.RxUsecs ?? now.RxUsecs, wanted.RxFrames ?? now.RxFrames), null);
        }

        return Refusal;
    }
}
