namespace Tunnel.App.Config;

/// <summary>What KCP's named modes stand for.</summary>
/// <param name="NoDelay">Whether the smallest retransmission timeout is 30 ms and its growth half.</param>
/// <param name="Interval">Between two updates, in whole milliseconds.</param>
/// <param name="Resend">Later acknowledgements that make a segment lost; 0 turns fast retransmission off.</param>
/// <param name="NoCongestion">Whether the congestion window is ignored.</param>
/// <param name="WDelay">Whether what is written waits for the next update.</param>
/// <param name="AckNoDelay">Whether acknowledgements leave at once.</param>
public sealed record KcpTuning(bool NoDelay, TimeSpan Interval, int Resend, bool NoCongestion, bool WDelay, bool AckNoDelay)
{
    public static readonly KcpTuning Normal = new(false, TimeSpan.FromMilliseconds(40), 2, true, WDelay: true, AckNoDelay: false);

    public static readonly KcpTuning Fast = Normal with { Interval = TimeSpan.FromMilliseconds(30) };

    public static readonly KcpTuning Fast2 = new(true, TimeSpan.FromMilliseconds(20), 2, true, WDelay: false, AckNoDelay: true);

    public static readonly KcpTuning Fast3 = Fast2 with { Interval = TimeSpan.FromMilliseconds(10) };
}
