namespace Tunnel.App.Config;

/// <summary>Sessions: how many, in whose dialect, and how patient.</summary>
public sealed record TransportConfig
{
    /// <summary>Sessions that a client keeps to each of its servers.</summary>
    public required int Conn { get; init; }

    public required TransportProfile Profile { get; init; }

    /// <summary>Client: how stream headers are written. A server sees it from what comes.</summary>
    public required HeaderDialect Header { get; init; }

    /// <summary>Client: how long opening a stream waits for a session.</summary>
    public required TimeSpan OpenTimeout { get; init; }

    /// <summary>How long connecting to a target may take; a client's targets are those of its reverse forwards.</summary>
    public required TimeSpan DialTimeout { get; init; }

    /// <summary>How long a stop waits for streams to end.</summary>
    public required TimeSpan Grace { get; init; }

    /// <summary>Bytes that all sessions may hold before no new one, and no new stream, is taken; null: a quarter of what there is.</summary>
    public required long? Memory { get; init; }

    public required KcpConfig Kcp { get; init; }
}

public enum TransportProfile
{
    /// <summary>Streams that name their targets, as paqet and its fork speak.</summary>
    Paqet,

    /// <summary>Streams without headers, as kcptun speaks (without compression).</summary>
    Kcptun,
}

/// <summary>The ways in which versions of paqet and its fork write stream headers.</summary>
public enum HeaderDialect
{
    V1,
    V3,
    Gob,
}
