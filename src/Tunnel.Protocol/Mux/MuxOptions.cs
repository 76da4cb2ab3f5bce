namespace Tunnel.Protocol.Mux;

/// <summary>The knobs of the multiplexer. Already valid.</summary>
public sealed record MuxOptions
{
    /// <summary>smux protocol version, 1 or 2; both ends must use the same.</summary>
    public int Version { get; init; } = 2;

    /// <summary>Bytes that one session may hold for all its streams' readers (smuxbuf).</summary>
    public int SessionBuffer { get; init; } = 32 << 20;

    /// <summary>Bytes that one stream may hold for its reader (streambuf); version 2 tells the peer.</summary>
    public int StreamBuffer { get; init; } = 8 << 20;

    /// <summary>Milliseconds between keepalives.</summary>
    public int KeepAlive { get; init; } = 10_000;

    /// <summary>Milliseconds without any frame after which the session is dead.</summary>
    public int KeepAliveTimeout { get; init; } = 30_000;

    /// <summary>Streams at a time, whoever opened them.</summary>
    public int MaxStreams { get; init; } = 1024;
}

/// <summary>What a process lets its sessions have, shared by their owners; thread-safe.</summary>
public interface IStreamAdmission
{
    /// <summary>By how many bits the windows that are granted from now on are smaller than configured; 0 while there is memory.</summary>
    int WindowShift { get; }

    /// <summary>Streams of a session at a time; may change.</summary>
    int MaxStreams { get; }

    /// <summary>Lets a stream in, or says what is in its way; whoever came in goes out with <see cref="Release"/>.</summary>
    /// <param name="streams">How many its session has already.</param>
    StreamAdmission Admit(int streams);

    void Release();

    /// <summary>A session's buffers have reached a bound. Cheap: this may happen with every few segments.</summary>
    void OnBound(BufferBound bound);
}

/// <summary>Whether a stream may be, or which cap it would exceed.</summary>
public enum StreamAdmission
{
    Admitted,

    /// <summary>Its session has as many as it may.</summary>
    SessionIsFull,

    /// <summary>All sessions together have as many as they may.</summary>
    AllAreFull,

    /// <summary>All sessions together hold as much memory as they may.</summary>
    OutOfMemory,
}

/// <summary>The bounds of a session's buffers.</summary>
public enum BufferBound
{
    /// <summary>A stream's window is used up: its peer waits for its reader.</summary>
    StreamFull,

    /// <summary>Version 1, which has no windows: the session's peer waits for its readers.</summary>
    SessionFull,

    /// <summary>The peer sent more than it was granted; its session has ended.</summary>
    Exceeded,
}
