using System.Net.Sockets;
using Tunnel.Links;
using Tunnel.Links.Sockets;

namespace Tunnel.App.Runtime;

/// <summary>
/// The process's threads that wait for sockets of applications and targets. What the sockets of one batch write into a session leaves
/// together at the end of the reactor's turn. Thread-safe.
/// </summary>
public static class LocalSockets
{
    private static readonly Lock Gate = new();
    private static volatile SocketReactor[]? _reactors;
    private static uint _next;

    /// <summary>Whose the next socket is.</summary>
    /// <exception cref="SocketException">The first time: there are no descriptors for them now.</exception>
    public static SocketReactor Next()
    {
        SocketReactor[] reactors = _reactors ?? Create();
        return reactors[Interlocked.Increment(ref _next) % (uint)reactors.Length];
    }

    /// <summary>Takes connections off a socket that listens.</summary>
    /// <exception cref="SocketException">The kernel cannot watch it.</exception>
    public static SocketAcceptor Accept(Socket listening) => new(listening, Next(), Next);

    private static void Met(Exception defect) => DefectLog.OfProcess.Met(defect, "a connection");

    private static SocketReactor[] Create()
    {
        lock (Gate)
        {
            var made = new List<SocketReactor>();
            try
            {
                // A session's receive thread does as much of the work: half of the cores each.
                while (_reactors is null && made.Count < Math.Max(1, Environment.ProcessorCount / 2))
                    made.Add(new SocketReactor($"sockets {made.Count}", EventDispatcher.Begin, EventDispatcher.End, Met));
                return _reactors ??= [.. made];
            }
            catch (LinkException)
            {
                made.ForEach(r => r.Dispose());
                throw new SocketException((int)SocketError.TooManyOpenSockets);
            }
        }
    }
}
