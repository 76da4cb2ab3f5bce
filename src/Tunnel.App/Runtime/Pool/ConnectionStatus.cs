namespace Tunnel.App.Runtime.Pool;

/// <summary>A connection as an operator wants to see it.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Server">The server, as the file or its SRV record calls it.</param>
/// <param name="Address">Where its session is; null without one.</param>
/// <param name="State">What it is good for.</param>
/// <param name="Priority">The server's; lower is preferred.</param>
/// <param name="Weight">The server's share.</param>
/// <param name="CostMilliseconds">What a stream costs there: what the choice is made by; null while it takes no more.</param>
/// <param name="RttMilliseconds">The smoothed round trip; with what follows, a part of the cost.</param>
/// <param name="InFlightBytes">Sent and not acknowledged.</param>
/// <param name="LossPercent">Segments that had to be sent again lately, of those sent.</param>
/// <param name="Streams">Open now.</param>
/// <param name="Connects">Sessions that came up so far.</param>
public sealed record ConnectionStatus(
    int Index,
    string Server,
    string? Address,
    ConnectionState State,
    long Priority,
    double Weight,
    double? CostMilliseconds,
    int RttMilliseconds,
    int InFlightBytes,
    double LossPercent,
    int Streams,
    int Connects)
{
    internal static ConnectionStatus Of(ClientConnection connection, PeerSession? session, ConnectionState state)
    {
        ServerSpec spec = connection.Server.Spec;
        SessionHealth? health = session?.Health;
        return new ConnectionStatus(
            connection.Index, spec.Name, session?.Peer.ToString(), state, spec.Priority, spec.Weight, CostOf(health), health?.RoundTrip ?? 0,
            health?.BytesInFlight ?? 0, 100 * (health?.Loss ?? 0), session?.StreamCount ?? 0, connection.Connects);
    }

    // JSON has no infinity.
    private static double? CostOf(SessionHealth? health) => health is null ? 0 : double.IsFinite(health.Cost) ? health.Cost : null;
}

/// <summary>What a connection is good for.</summary>
public enum ConnectionState
{
    /// <summary>It has no session yet, or none any more.</summary>
    Connecting,

    /// <summary>It takes new streams.</summary>
    Up,

    /// <summary>Its peer does not answer: new streams go elsewhere until it does.</summary>
    Silent,

    /// <summary>Its session takes no new streams, and ends with those that it has.</summary>
    Draining,
}
