using System.Net;
using System.Net.Sockets;
using Tunnel.Links.Sockets;

namespace Tunnel.App.Runtime;

/// <summary>
/// The process's threads that wait for sockets of applications and targets. What the sockets of one batch write into a session leaves
/// together at the end of the reactor's turn. Thread-safe.
/// </summary>
public static class LocalSockets
{
    // A session's receive thread does as much of the work: half of the cores each.
    private static readonly Lazy<SocketReactor[]> Reactors = new(() => [.. Enumerable.Range(0, Math.Max(1, Environment.ProcessorCount / 2)).Select(Create)]);

    private static uint _next;

    /// <summary>Whose the next socket is.</summary>
    public static SocketReactor Next() => Reactors.Value[Interlocked.Increment(ref _next) % Reactors.Value.Length];

    /// <summary>Connects a socket.</summary>
    /// <exception cref="SocketException">It did not succeed.</exception>
    public static ValueTask<TcpSocket> ConnectAsync(IPEndPoint target, CancellationToken cancel) =>
        SocketExchange.ConnectAsync(target, Next(), cancel);

    /// <summary>Takes connections off a socket that listens.</summary>
    /// <exception cref="SocketException">The kernel cannot watch it.</exception>
    public static SocketAcceptor Accept(Socket listening) => new(listening, Next(), Next);

    private static SocketReactor Create(int index) => new($"sockets {index}", EventDispatcher.Begin, EventDispatcher.End);
}
