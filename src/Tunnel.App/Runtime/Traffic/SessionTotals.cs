using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;

namespace Tunnel.App.Runtime.Traffic;

/// <summary>What several sessions have done together. One owner.</summary>
public sealed class SessionTotals
{
    private KcpCounters _kcp;
    private MuxCounters _mux;

    public KcpCounters Kcp => _kcp;

    public MuxCounters Mux => _mux;

    /// <summary>Round trips, in milliseconds.</summary>
    public HistogramSum RoundTrips { get; } = new();

    /// <summary>Retransmission timeouts, in milliseconds.</summary>
    public HistogramSum Timeouts { get; } = new();

    /// <summary>Datagrams sent at the end of one turn.</summary>
    public HistogramSum Flushes { get; } = new();

    /// <summary>Datagrams in merged frames that were sent.</summary>
    public HistogramSum Merged { get; } = new();

    public void Add(KcpEngine kcp, in MuxCounters mux)
    {
        _kcp.Add(kcp.Counters);
        _mux.Add(mux);
        kcp.RoundTrips.AddTo(RoundTrips);
        kcp.Timeouts.AddTo(Timeouts);
    }

    public void Add(SessionTotals other)
    {
        _kcp.Add(other._kcp);
        _mux.Add(other._mux);
        RoundTrips.Add(other.RoundTrips);
        Timeouts.Add(other.Timeouts);
        Flushes.Add(other.Flushes);
        Merged.Add(other.Merged);
    }
}
