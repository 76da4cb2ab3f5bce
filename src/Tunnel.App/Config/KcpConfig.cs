namespace Tunnel.App.Config;

/// <summary>KCP, what encrypts it, and the multiplexer above it.</summary>
public sealed record KcpConfig
{
    /// <summary>What the mode means, or the manual values.</summary>
    public required KcpTuning Tuning { get; init; }

    /// <summary>Whether what is sent is spread by the rate at which it arrives.</summary>
    public required bool Pacing { get; init; }

    /// <summary>The largest datagram, in bytes; null: as long as the path carries, where the peer helps to find out.</summary>
    public required int? Mtu { get; init; }

    /// <summary>Receive window, in segments.</summary>
    public required int RcvWnd { get; init; }

    /// <summary>Send window, in segments.</summary>
    public required int SndWnd { get; init; }

    /// <summary>What both ends know; empty only without encryption and guard.</summary>
    public required Secret Key { get; init; }

    /// <summary>The file that the key was read from; null when it stands in the configuration itself, or there is none.</summary>
    public string? KeyFile { get; init; }

    public required KcpBlock Block { get; init; }

    /// <summary>The guard in front of every datagram; null if it is off.</summary>
    public required GuardConfig? Guard { get; init; }

    /// <summary>Bytes that a session buffers for all its streams together.</summary>
    public required int SmuxBuf { get; init; }

    /// <summary>Bytes that a session buffers for one stream. At most <see cref="SmuxBuf"/>.</summary>
    public required int StreamBuf { get; init; }

    /// <summary>1 or 2.</summary>
    public required int SmuxVersion { get; init; }

    public required TimeSpan KeepAlive { get; init; }

    /// <summary>Silence after which a session is dead. Longer than <see cref="KeepAlive"/>.</summary>
    public required TimeSpan KeepAliveTimeout { get; init; }

    public required int MaxSessions { get; init; }

    public required int MaxStreamsTotal { get; init; }

    public required int MaxStreamsPerSession { get; init; }

    /// <summary>How long a new stream may take to say where it goes.</summary>
    public required TimeSpan HeaderTimeout { get; init; }
}

/// <summary>The guard's parameters.</summary>
/// <param name="Magic">4 ASCII characters.</param>
/// <param name="Window">How long a cookie is valid, in whole seconds.</param>
/// <param name="Skew">How many windows earlier and later are accepted too; at least 1.</param>
public sealed record GuardConfig(string Magic, TimeSpan Window, int Skew);

public enum KcpBlock
{
    Aes,
    Aes128,
    Aes192,
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
    Salsa20,
    Xor,

    /// <summary>No encryption; the header that encryption adds stays.</summary>
    None,

    /// <summary>No encryption and no header.</summary>
    Null,
}
