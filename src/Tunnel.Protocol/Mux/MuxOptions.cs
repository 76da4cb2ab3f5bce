namespace Tunnel.Protocol.Mux;

/// <summary>The knobs of the multiplexer. Already valid.</summary>
public sealed record MuxOptions
{
    /// <summary>smux protocol version, 1 or 2; both ends must use the same.</summary>
    public int Version { get; init; } = 2;

    /// <summary>Bytes that one session may hold for all its streams' readers (smuxbuf).</summary>
    public int SessionBuffer { get; init; } = 8 << 20;

    /// <summary>Bytes that one stream may hold for its reader (streambuf); version 2 tells the peer.</summary>
    public int StreamBuffer { get; init; } = 2 << 20;

    /// <summary>Milliseconds between keepalives.</summary>
    public int KeepAlive { get; init; } = 10_000;

    /// <summary>Milliseconds without any frame after which the session is dead.</summary>
    public int KeepAliveTimeout { get; init; } = 30_000;

    /// <summary>Streams at a time, whoever opened them.</summary>
    public int MaxStreams { get; init; } = 1024;
}

/// <summary>A cap over all sessions, shared by their owners; thread-safe.</summary>
public interface IStreamAdmission
{
    bool TryAdmit();

    void Release();
}
