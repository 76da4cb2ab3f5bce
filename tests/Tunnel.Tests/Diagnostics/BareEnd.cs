using Microsoft.Extensions.Logging.Abstractions;
using Tunnel.App.Diagnostics;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Pool;
using Tunnel.App.Runtime.Traffic;
using Tunnel.App.Services;

namespace Tunnel.Tests.Diagnostics;

/// <summary>An end of which there is nothing but what it counts.</summary>
internal sealed class BareEnd(TrafficLedger ledger, ListenerGate? gate) : ITunnelEnd
{
    public string Role => "bench";

    public string? Link => null;

    public string? Unready => null;

    public TrafficLedger Ledger => ledger;

    public UdpMeter Udp { get; } = new();

    public LimitMeter Limits { get; } = new(NullLogger.Instance);

    public long? MemoryLimit => null;

    /// <summary>What it says of its connections.</summary>
    public Func<IReadOnlyList<ConnectionStatus>> Connections { get; init; } = () => [];

    public IReadOnlyList<ConnectionStatus> GetConnections() => Connections();

    public ListenerStatus? GetListeners() => ListenerStatus.Of(gate);
}
