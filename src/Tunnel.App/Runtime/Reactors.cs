using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Tunnel.Links;
using Tunnel.Links.Sockets;

namespace Tunnel.App.Runtime;

/// <summary>
/// The threads that wait for links and for the sockets of applications and targets: a datagram becomes an application's bytes, and those a
/// datagram, on one of them, from end to end. What is written into a session during a reactor's turn leaves together at its end. Thread-safe.
/// </summary>
/// <param name="most">That there may be; they are made when they are needed.</param>
public sealed class Reactors(int most) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Reactor?[] _made = new Reactor?[most];
    private readonly int[] _links = new int[most];

    // Those that have links, while any has: sockets go where their sessions are.
    private volatile Reactor[] _forSockets = [];
    private uint _next;

    /// <summary>The process's: one a processor.</summary>
    public static Reactors OfProcess { get; } = new(Environment.ProcessorCount);

    /// <summary>
    /// To be awaited by what is slow, or ends links, after it has awaited a session: that goes on where it was told, which is a reactor's turn as a rule, and
    /// all its links and sockets would stand still. The firewall's tools, which take a link's rules away, need tens of milliseconds.
    /// </summary>
    public static ConfiguredTaskAwaitable Leave() => Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);

    /// <summary>Whose the next socket is: this thread's own, if it is a reactor's.</summary>
    /// <exception cref="SocketException">There are no descriptors for reactors now.</exception>
    public Reactor Here() => Reactor.Current ?? Next();

    /// <summary>Whose the next socket is, shared out evenly.</summary>
    /// <exception cref="SocketException">As for <see cref="Here"/>.</exception>
    public Reactor Next()
    {
        Reactor[] reactors = _forSockets;
        if (reactors.Length == 0)
            reactors = MakeForSockets();
        return reactors[Interlocked.Increment(ref _next) % (uint)reactors.Length];
    }

    /// <summary>Takes connections off a socket that listens.</summary>
    /// <exception cref="SocketException">The kernel cannot watch it.</exception>
    public SocketAcceptor Accept(Socket listening) => new(listening, MakeForSocket(0), Next);

    /// <summary>The reactor of a link, to be given back with <see cref="Release"/>.</summary>
    /// <param name="index">
    /// Of the link among those of its client or server: one after the other has the next reactor, and the first has the one that accepts connections.
    /// </param>
    /// <exception cref="LinkException">There are no descriptors for it now.</exception>
    internal Reactor Take(int index)
    {
        lock (_gate)
        {
            Reactor reactor = Make(index % most);
            _links[index % most]++;
            Share();
            return reactor;
        }
    }

    /// <summary>A link has gone.</summary>
    internal void Release(Reactor reactor)
    {
        lock (_gate)
        {
            _links[Array.IndexOf(_made, reactor)]--;
            Share();
        }
    }

    /// <summary>Ends the threads.</summary>
    public void Dispose()
    {
        foreach (Reactor? reactor in _made)
            reactor?.Dispose();
    }

    /// <summary>Without links this is a bench's load or target, which has the processors to share with what it measures: half of them.</summary>
    private Reactor[] MakeForSockets()
    {
        for (int i = 0; i < Math.Max(1, most / 2); i++)
            MakeForSocket(i);
        return _forSockets;
    }

    private Reactor MakeForSocket(int place)
    {
        try
        {
            lock (_gate)
            {
                Reactor reactor = Make(place);
                Share();
                return reactor;
            }
        }
        catch (LinkException)
        {
            throw new SocketException((int)SocketError.TooManyOpenSockets);
        }
    }

    private Reactor Make(int place) =>
        _made[place] ??= new Reactor($"reactor {place}", EventDispatcher.BeginTurn, EventDispatcher.EndTurn, Met);

    private void Share()
    {
        Reactor[] linked = [.. _made.Where((_, place) => _links[place] != 0).OfType<Reactor>()];
        _forSockets = linked.Length != 0 ? linked : [.. _made.OfType<Reactor>()];
    }

    private static void Met(Exception defect) => DefectLog.OfProcess.Met(defect, "a connection");
}
