using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime.Pool;
using Tunnel.Links;

namespace Tunnel.App.Runtime;

/// <summary>
/// A client's connections to all of its servers. New streams go where <see cref="StreamBalancer{T}"/> says, among those that are up and
/// answer; they wait, not for ever, while there is none. Servers may come and go meanwhile. Thread-safe.
/// </summary>
public sealed partial class ConnectionPool : IConnectionOwner
{
    /// <summary>Far more than there are sessions: they may come back while others are asked, but not for ever.</summary>
    private const int MaximumTries = 10_000;

    private readonly Lock _lock = new();
    private readonly ConnectionParts _parts;
    private readonly int _perServer;
    private readonly TimeSpan _openTimeout;
    private readonly Random _random;
    private readonly StreamBalancer<ClientConnection> _balancer;
    private readonly Dictionary<string, PoolServer> _servers = [];
    private readonly Dictionary<ClientConnection, StreamBalancer<ClientConnection>.Member?> _members = [];
    private readonly HashSet<ClientConnection> _retired = [];
    private readonly HashSet<int> _indices = [];
    private readonly PendingOpens _pending = new();
    private readonly MovableStreams _movable = new();
    private readonly PoolWatch _watch;
    private readonly TaskCompletionSource _fatal = NewSignal();
    private readonly List<Task> _running = [];
    private CancellationToken _stop;
    private bool _started;
    private TaskCompletionSource _up = NewSignal();
    private int _waiting;

    /// <param name="perServer">Connections to each server.</param>
    /// <param name="openTimeout">How long opening a stream waits for a session.</param>
    /// <param name="parts">What connections are made with.</param>
    /// <param name="random">Draws what should differ between clients.</param>
    public ConnectionPool(int perServer, TimeSpan openTimeout, ConnectionParts parts, Random random)
    {
        _perServer = perServer;
        _openTimeout = openTimeout;
        _parts = parts;
        _random = random;
        _balancer = new StreamBalancer<ClientConnection>(random);
        _watch = new PoolWatch(this, _pending, _movable);
    }

    /// <summary>All connections, those that end included, by number.</summary>
    public IReadOnlyList<ClientConnection> Connections
    {
        get
        {
            lock (_lock)
                return [.. _members.Keys.Concat(_retired).OrderBy(c => c.Index)];
        }
    }

    /// <summary>Somebody waits for a session now.</summary>
    public bool IsWanted => Volatile.Read(ref _waiting) != 0;

    /// <summary>Nobody looks after the connections, for there is nothing to look after.</summary>
    internal bool IsResting => _watch.IsResting;

    /// <summary>A session is up and answers.</summary>
    internal bool IsUsable
    {
        get
        {
            lock (_lock)
                return !_balancer.IsEmpty;
        }
    }

    internal PoolServer[] Servers
    {
        get
        {
            lock (_lock)
                return [.. _servers.Values];
        }
    }

    /// <summary>
    /// The servers are these from now on. New ones are connected to; those that are not among them any more get no new streams and end
    /// with the ones that they have; what has another priority or weight has it at once. Nothing else changes.
    /// </summary>
    public void Apply(IReadOnlyList<ServerSpec> servers)
    {
        ClientConnection[] retired, added;
        lock (_lock)
        {
            Dictionary<string, ServerSpec> wanted = servers.ToDictionary(s => s.Key);
            retired = [.. _servers.Keys.Except(wanted.Keys).ToArray().SelectMany(Remove)];
            added = [.. wanted.Values.SelectMany(Place)];
            if (_started)
                Start(added);
        }

        foreach (ClientConnection connection in retired)
            connection.Retire();
    }

    /// <summary>Runs until cancelled, or until a link says that trying again cannot help.</summary>
    /// <exception cref="LinkException">Trying again cannot help.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        lock (_lock)
        {
            _started = true;
            _stop = stop;
            Start(_members.Keys);
        }

        Task watch = _watch.RunAsync(stop);
        await (await Task.WhenAny(_fatal.Task, watch).ConfigureAwait(false)).ConfigureAwait(false);
        Task[] running;
        lock (_lock)
            running = [.. _running];
        await Task.WhenAll(running).ConfigureAwait(false);
    }

    /// <summary>This host's network has changed.</summary>
    public void OnNetworkChanged()
    {
        foreach (ClientConnection connection in Connections)
            connection.OnNetworkChanged();
    }

    /// <summary>Opens a stream on the session whose turn it is.</summary>
    /// <exception cref="TunnelUnavailableException">No session came up within the open timeout, or all are full.</exception>
    public async ValueTask<TunnelStream> OpenStreamAsync(CancellationToken cancel)
    {
        long deadline = Environment.TickCount64 + (long)_openTimeout.TotalMilliseconds;
        while (true)
        {
            Task up;
            lock (_lock)
                up = _up.Task;
            if (TryOpenStream() is { } stream)
                return stream;
            long left = deadline - Environment.TickCount64;
            if (left <= 0)
                throw new TunnelUnavailableException($"no session with the server within {_openTimeout.TotalSeconds:0.#} s");
            await WaitAsync(up, (int)left, cancel).ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
        }
    }

    /// <summary>As <see cref="OpenStreamAsync"/>, for who does not wait yet: null when no session is up.</summary>
    /// <exception cref="TunnelUnavailableException">All are full.</exception>
    internal TunnelStream? TryOpenStream()
    {
        TunnelStream? stream = TryOpen(out bool anyUp);
        return stream is null && anyUp ? throw new TunnelUnavailableException("every session is at its cap of streams") : stream;
    }

    /// <summary>
    /// Says that a stream is not open yet: it waits for the peer's word. When the peer turns out to be gone, and another session is there, it is
    /// moved.
    /// </summary>
    internal void Await(IPendingOpen open)
    {
        _pending.Add(open);
        _watch.Hurry();
    }

    /// <summary>It waits no more.</summary>
    internal void Forget(IPendingOpen open) => _pending.Remove(open);

    /// <summary>
    /// Says that a stream's user would rather open another than wait: it is closed when its session falls silent and another is there.
    /// </summary>
    public void MayMove(TunnelStream stream)
    {
        _movable.Add(stream);
        _watch.Stir();
    }

    /// <summary>Every connection as an operator wants to see it; drained sessions are lines of their own.</summary>
    public IReadOnlyList<ConnectionStatus> GetStatus() => [.. Connections.SelectMany(StatusOf)];

    void IConnectionOwner.OnChanged(ClientConnection connection)
    {
        if (connection.Session is { } session)
        {
            session.Health = new SessionHealth(() => OnHealth(connection, session));
            OnHealth(connection, session);
            return;
        }

        lock (_lock)
            Leave(connection);
        _watch.Stir();
    }

    void IConnectionOwner.OnDraining(ClientConnection connection)
    {
        lock (_lock)
            Leave(connection);
    }

    /// <summary>A session's cost changed, or it fell silent, or it was heard again.</summary>
    private void OnHealth(ClientConnection connection, PeerSession session)
    {
        _watch.Stir();
        lock (_lock)
        {
            // It may have been replaced, and its server may have gone, since.
            if (!ReferenceEquals(connection.Session, session) || session.Health is not { } health
                || !_members.TryGetValue(connection, out StreamBalancer<ClientConnection>.Member? member))
                return;
            if (health.IsSilent || session.PeerDrains)
                Leave(connection);
            else if (member is null)
                Enter(connection, health.Cost);
            else
                _balancer.Rate(member, health.Cost);
        }
    }

    private void Enter(ClientConnection connection, double cost)
    {
        PoolServer server = connection.Server;
        StreamBalancer<ClientConnection>.Member member =
            _balancer.Add(connection, server.Spec.Priority, server.Spec.Weight / (server.Members.Count + 1), cost);
        _members[connection] = member;
        server.Members.Add(member);
        Reweigh(server);
        _up.TrySetResult();
        _up = NewSignal();
    }

    private void Leave(ClientConnection connection)
    {
        if (!_members.TryGetValue(connection, out StreamBalancer<ClientConnection>.Member? member) || member is null)
            return;
        _balancer.Remove(member);
        _members[connection] = null;
        connection.Server.Members.Remove(member);
        Reweigh(connection.Server);
    }

    /// <summary>A server's weight is that of all its connections together.</summary>
    private void Reweigh(PoolServer server)
    {
        foreach (StreamBalancer<ClientConnection>.Member member in server.Members)
            _balancer.Change(member, server.Spec.Priority, server.Spec.Weight / server.Members.Count);
    }

    private List<ClientConnection> Remove(string key)
    {
        _servers.Remove(key, out PoolServer? server);
        foreach (ClientConnection connection in server!.Connections)
        {
            Leave(connection);
            _members.Remove(connection);
            _retired.Add(connection);
        }

        return server.Connections;
    }

    /// <summary>Makes room for a server, or takes over what has changed of one that is there; the connections that are new.</summary>
    private List<ClientConnection> Place(ServerSpec spec)
    {
        if (_servers.TryGetValue(spec.Key, out PoolServer? server))
        {
            server.Spec = spec;
            Reweigh(server);
            return [];
        }

        server = _servers[spec.Key] = new PoolServer(spec, _random);
        for (int i = 0; i < _perServer; i++)
        {
            var connection = new ClientConnection(TakeIndex(), server, _parts, this);
            server.Connections.Add(connection);
            _members[connection] = null;
        }

        return server.Connections;
    }

    private int TakeIndex()
    {
        int index = 0;
        while (!_indices.Add(index))
            index++;
        return index;
    }

    private void Start(IEnumerable<ClientConnection> connections)
    {
        _running.RemoveAll(t => t.IsCompleted);
        _running.AddRange(connections.Select(c => RunAsync(c, _stop)));
    }

    private async Task RunAsync(ClientConnection connection, CancellationToken stop)
    {
        await Task.Yield();
        try
        {
            await connection.RunAsync(stop).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Whatever a connection does not go on after, the client does not either.
            _fatal.TrySetException(e);
        }

        lock (_lock)
        {
            _retired.Remove(connection);
            _indices.Remove(connection.Index);
        }
    }

    private async Task WaitAsync(Task up, int milliseconds, CancellationToken cancel)
    {
        Interlocked.Increment(ref _waiting);
        _watch.Hurry();
        try
        {
            await Task.WhenAny(up, Task.Delay(milliseconds, cancel)).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Opens a stream on the best that takes one; null without one, and whether that is for want of sessions or of room.</summary>
    private TunnelStream? TryOpen(out bool anyUp)
    {
        anyUp = true;
        for (int tries = 0; tries < MaximumTries; tries++)
        {
            ClientConnection? chosen;
            lock (_lock)
            {
                chosen = _balancer.Choose();
                anyUp = !_balancer.IsEmpty;
            }

            if (chosen is null)
                return tries == 0 ? AskOneThatIsFull() : null;
            PeerSession? session = chosen.Session;
            if (session is { PeerDrains: false } && session.OpenStream() is { } stream)
                return stream;
            SetAside(chosen, session);
        }

        return null;
    }

    /// <summary>All are known to be full. One is asked all the same: it counts the refusal by its cap and says so, or it has room by now.</summary>
    private TunnelStream? AskOneThatIsFull()
    {
        ClientConnection? full;
        lock (_lock)
            full = _balancer.First;
        return full?.Session is { PeerDrains: false } session ? session.OpenStream() : null;
    }

    /// <summary>A session that would not open a stream is not asked again before it says that it has changed, or another is there.</summary>
    private void SetAside(ClientConnection connection, PeerSession? session)
    {
        lock (_lock)
        {
            // Its successor may have been rated meanwhile, and has refused nothing.
            if (!ReferenceEquals(connection.Session, session))
                return;
            if (session is null or { IsClosed: true } or { PeerDrains: true })
                Leave(connection);
            else if (_members.GetValueOrDefault(connection) is { } member)
                _balancer.Rate(member, double.PositiveInfinity);
        }

        session?.Health?.TellAgain();
        if (session is { IsClosed: false, IsSpent: true })
            connection.TryReplace("its stream numbers are used up");
    }

    private IEnumerable<ConnectionStatus> StatusOf(ClientConnection connection)
    {
        PeerSession? session = connection.Session;
        bool retired;
        lock (_lock)
            retired = _retired.Contains(connection);
        if (connection.Drained is { } drained)
            yield return ConnectionStatus.Of(connection, drained, ConnectionState.Draining);
        if (session is not null)
            yield return ConnectionStatus.Of(connection, session, retired ? ConnectionState.Draining
                : session.Health?.IsSilent == true ? ConnectionState.Silent : ConnectionState.Up);
        else if (!retired)
            yield return ConnectionStatus.Of(connection, null, ConnectionState.Connecting);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>There is no session to carry a stream.</summary>
public sealed class TunnelUnavailableException(string message) : IOException(message);
