using System.Net.Sockets;

namespace Tunnel.Ctl.Bench;

/// <summary>Why an operation failed.</summary>
internal enum LoadError
{
    /// <summary>The target or the proxy refused the connection.</summary>
    Refused,

    /// <summary>Nothing came within the timeout.</summary>
    Timeout,

    /// <summary>The connection was reset.</summary>
    Reset,

    /// <summary>The connection ended before the answer was whole.</summary>
    Closed,

    /// <summary>No route, or no such host.</summary>
    Unreachable,

    /// <summary>The answer was not what was asked for: an HTTP status, other bytes.</summary>
    Wrong,

    /// <summary>A datagram did not come back within its timeout.</summary>
    Lost,

    /// <summary>Anything else, such as no more descriptors or local ports.</summary>
    Other,
}

/// <summary>An operation failed for a reason that is not the socket's.</summary>
internal sealed class LoadException(LoadError kind, string message) : IOException(message)
{
    public LoadError Kind { get; } = kind;
}

internal static class LoadErrors
{
    public static LoadError KindOf(Exception e) => e switch
    {
        LoadException load => load.Kind,
        SocketException socket => KindOf(socket.SocketErrorCode),
        OperationCanceledException => LoadError.Timeout,
        _ => LoadError.Other,
    };

    private static LoadError KindOf(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => LoadError.Refused,
        SocketError.TimedOut => LoadError.Timeout,
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => LoadError.Reset,
        SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData
            or SocketError.NetworkUnreachable or SocketError.HostUnreachable => LoadError.Unreachable,
        _ => LoadError.Other,
    };
}
