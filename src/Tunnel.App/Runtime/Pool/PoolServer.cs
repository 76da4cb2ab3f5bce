using System.Net;
using Tunnel.App.Runtime;

namespace Tunnel.App.Runtime.Pool;

/// <summary>
/// A server of the pool: its connections, the addresses that its name has now, and which of its ports each connection tries.
/// Thread-safe.
/// </summary>
internal sealed class PoolServer(ServerSpec spec, Random random)
{
    /// <summary>How old a name's addresses may become, in milliseconds.</summary>
    private const long RefreshInterval = 30_000;

    private readonly Lock _lock = new();
    private readonly AddressSpread<ClientConnection> _spread = new(random);
    private readonly HashSet<ClientConnection> _onFirstPort = [];
    private long _refreshAt;

    /// <summary>The same server with another priority or weight may take its place.</summary>
    public ServerSpec Spec { get; set; } = spec;

    /// <summary>Its connections, by their number within the server; all are there before the first one runs.</summary>
    public List<ClientConnection> Connections { get; } = [];

    /// <summary>Those of them that are up and not silent. The pool's.</summary>
    public List<StreamBalancer<ClientConnection>.Member> Members { get; } = [];

    /// <summary>In which its sessions begin.</summary>
    public StartTurns Starts { get; } = new(atOnce: 4, TimeSpan.FromMilliseconds(50), TimeProvider.System);

    /// <summary>The watch's.</summary>
    public LossJudge<ClientConnection> Losses { get; } = new();

    /// <summary>When its name is to be looked up again, by <see cref="Environment.TickCount64"/>; never where it is an address.</summary>
    public long RefreshAt
    {
        get
        {
            lock (_lock)
                return Spec.Address.Literal is null ? _refreshAt : long.MaxValue;
        }
    }

    /// <summary>Where a connection tries next: its name is looked up anew each time.</summary>
    /// <exception cref="IOException">The name does not resolve.</exception>
    public async ValueTask<IPEndPoint> NextAddressAsync(ClientConnection connection, CancellationToken cancel)
    {
        IPAddress[] addresses = Spec.Address.Literal is { } literal
            ? [literal]
            : await LookUpAsync(Spec.Address.Host, cancel).ConfigureAwait(false);
        if (addresses.Length == 0)
            throw new IOException($"{Spec.Address.Host} has no address");
        lock (_lock)
        {
            _spread.Update(addresses);
            _refreshAt = Environment.TickCount64 + RefreshInterval;
            return new IPEndPoint(_spread.Take(connection, Environment.TickCount64), PortOf(connection));
        }
    }

    public void OnAnswered(ClientConnection connection)
    {
        lock (_lock)
        {
            _spread.Worked(connection);
            // From the next time on its own port again.
            _onFirstPort.Remove(connection);
        }
    }

    /// <summary>What a connection tried did not answer: next time the first port, then its own again.</summary>
    public void OnFailed(ClientConnection connection)
    {
        lock (_lock)
        {
            bool triedOwn = PortOf(connection) != Spec.Address.Port;
            if (triedOwn)
                _onFirstPort.Add(connection);
            else
                _onFirstPort.Remove(connection);
            // One port says nothing about the address.
            if (!triedOwn)
                _spread.Failed(connection, Environment.TickCount64);
        }
    }

    /// <summary>What a connection had does not answer any more.</summary>
    public void OnLost(ClientConnection connection)
    {
        lock (_lock)
            _spread.Failed(connection, Environment.TickCount64);
    }

    public void Release(ClientConnection connection)
    {
        lock (_lock)
        {
            _spread.Release(connection);
            _onFirstPort.Remove(connection);
        }
    }

    /// <summary>
    /// Looks a name up again when that is due. A connection that is at the wrong address then, or null: an address that is gone from
    /// the name is left, one that is new is moved to, one connection at a time.
    /// </summary>
    public async Task<ClientConnection?> RefreshAsync(CancellationToken cancel)
    {
        lock (_lock)
        {
            if (Spec.Address.Literal is not null || Environment.TickCount64 < _refreshAt)
                return null;
            _refreshAt = Environment.TickCount64 + RefreshInterval;
        }

        try
        {
            IPAddress[] addresses = await Dns.GetHostAddressesAsync(Spec.Address.Host, cancel).ConfigureAwait(false);
            lock (_lock)
            {
                if (addresses.Length == 0)
                    return null;
                _spread.Update(addresses);
                return _spread.Misplaced(Environment.TickCount64);
            }
        }
        catch (System.Net.Sockets.SocketException)
        {
            // The sessions that there are need no name.
            return null;
        }
    }

    /// <summary>The resolver says what went wrong and not with what.</summary>
    private static async Task<IPAddress[]> LookUpAsync(string name, CancellationToken cancel)
    {
        try
        {
            return await Dns.GetHostAddressesAsync(name, cancel).ConfigureAwait(false);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            throw new IOException($"{name} does not resolve: {e.Message}", e);
        }
    }

    private int PortOf(ClientConnection connection) => _onFirstPort.Contains(connection)
        ? Spec.Address.Port
        : Spec.Address.Port + Math.Max(0, Connections.IndexOf(connection)) % Spec.Ports;
}

/// <summary>Who owns connections: a <see cref="ConnectionPool"/>.</summary>
internal interface IConnectionOwner
{
    /// <summary>Somebody waits for a session now.</summary>
    bool IsWanted { get; }

    /// <summary>A connection's session came or went.</summary>
    void OnChanged(ClientConnection connection);

    /// <summary>The server takes no new streams on the connection's session, which goes on.</summary>
    void OnDraining(ClientConnection connection);
}
