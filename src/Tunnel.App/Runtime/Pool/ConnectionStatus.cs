namespace Tunnel.App.Runtime.Pool;

/// <summary>A connection as an operator wants to see it.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Server">The server, as the file or its SRV record calls it.</param>
/// <param name="Address">Where its session is; null without one.</param>
/// <param name="State">What it is good for.</param>
/// <param name="Priority">The server's; lower is preferred.</param>
/// <param name="Weight">The server's share.</param>
/// <param name="Cost">What a stream costs there, in milliseconds: what the choice is made by; null while it takes no more.</param>
/// <param name="RoundTrip">Smoothed, in milliseconds; with what follows, a part of the cost.</param>
/// <param name="BytesInFlight">Sent and not acknowledged.</param>
/// <param name="Loss">The part of segments that had to be sent again lately, 0 to 1.</param>
/// <param name="Streams">Open now.</param>
/// <param name="Connects">Sessions that came up so far.</param>
public sealed record ConnectionStatus(
    int Index,
    string Server,
    string? Address,
    ConnectionState State,
    long Priority,
    double Weight,
    double? Cost,
    int RoundTrip,
    int BytesInFlight,
    double Loss,
    int Streams,
    int Connects)
{
    internal static ConnectionStatus Of(ClientConnection connection, PeerSession? session, ConnectionState state)
    {
        ServerSpec spec = connection.Server.Spec;
        SessionHealth? health = session?.Health;
        return new ConnectionStatus(
            connection.Index, spec.Name, session?.Peer.ToString(), state, spec.Priority, spec.Weight, CostOf(health), health?.RoundTrip ?? 0,
            health?.BytesInFlight ?? 0, health?.Loss ?? 0, session?.StreamCount ?? 0, connection.Connects);
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
