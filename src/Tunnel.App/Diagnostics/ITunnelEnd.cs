using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Pool;
using Tunnel.App.Runtime.Traffic;
using Tunnel.App.Services;

namespace Tunnel.App.Diagnostics;

/// <summary>
/// What an end of the tunnel, client or server, lets be seen of itself. Read by any thread at any time, also before its start and after
/// its stop.
/// </summary>
public interface ITunnelEnd
{
    /// <summary>client or server.</summary>
    string Role { get; }

    /// <summary>The name of the link that is open; null while there is none.</summary>
    string? Link { get; }

    /// <summary>Why it cannot carry anything now; null when it can.</summary>
    string? Unready { get; }

    TrafficLedger Ledger { get; }

    UdpMeter Udp { get; }

    LimitMeter Limits { get; }

    /// <summary>Bytes that sessions may hold before no new one is taken; null where there is no such ceiling.</summary>
    long? MemoryLimit { get; }

    /// <summary>A client's connections; none at a server.</summary>
    IReadOnlyList<ConnectionStatus> GetConnections();

    /// <summary>A client's listeners together, or those that a server has for its clients' reverse forwards; null before the start.</summary>
    ListenerStatus? GetListeners();
}

/// <summary>What comes in at an end's listeners.</summary>
/// <param name="Active">Connections being served.</param>
/// <param name="Refused">Connections closed at once because there were too many.</param>
/// <param name="AcceptErrors">Accepts that failed.</param>
public sealed record ListenerStatus(int Active, long Refused, long AcceptErrors)
{
    /// <summary>What those that share a gate have seen; null while there is none.</summary>
    public static ListenerStatus? Of(ListenerGate? gate) => gate is null ? null : new ListenerStatus(gate.Active, gate.Refused, gate.AcceptErrors);
}
