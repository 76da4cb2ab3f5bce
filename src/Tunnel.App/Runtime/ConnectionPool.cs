
namespace Tunnel.App.Runtime;

/// <summary>A client's connections; new streams go round the ones that are up, and wait, not for ever, while none is.</summary>
public sealed class ConnectionPool
{
    private readonly Lock _lock = new();
    private readonly ClientConnection[] _connections;
    private readonly TimeSpan _openTimeout;
    private TaskCompletionSource _up = NewSignal();
    private int _next;
    private int _waiting;

    public ConnectionPool(int count, TimeSpan openTimeout, Func<int, Action<ClientConnection>, Func<bool>, ClientConnection> create)
    {
        _openTimeout = openTimeout;
        _connections = new ClientConnection[count];
        for (int i = 0; i < count; i++)
            _connections[i] = create(i, OnChanged, () => Volatile.Read(ref _waiting) != 0);
    }

    public IReadOnlyList<ClientConnection> Connections => _connections;

    public Task RunAsync(CancellationToken stop) => Task.WhenAll(_connections.Select(c => c.RunAsync(stop)));

    /// <summary>This host's network has changed.</summary>
    public void OnNetworkChanged()
    {
        foreach (ClientConnection connection in _connections)
            connection.OnNetworkChanged();
    }

    /// <summary>Opens a stream on one of the sessions.</summary>
    /// <exception cref="TunnelUnavailableException">No session came up within the open timeout, or all are full.</exception>
    public async ValueTask<TunnelStream> OpenStreamAsync(CancellationToken cancel)
    {
        long deadline = Environment.TickCount64 + (long)_openTimeout.TotalMilliseconds;
        while (true)
        {
            Task up;
            lock (_lock)
                up = _up.Task;
            if (TryOpen(out bool anyUp) is { } stream)
                return stream;
            if (anyUp)
                throw new TunnelUnavailableException("every session is at its cap of streams");
            long left = deadline - Environment.TickCount64;
            if (left <= 0)
                throw new TunnelUnavailableException($"no session with the server within {_openTimeout.TotalSeconds:0.#} s");
            await WaitAsync(up, (int)left, cancel).ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
        }
    }

    private async Task WaitAsync(Task up, int milliseconds, CancellationToken cancel)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await Task.WhenAny(up, Task.Delay(milliseconds, cancel)).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private TunnelStream? TryOpen(out bool anyUp)
    {
        anyUp = false;
        uint first = (uint)Interlocked.Increment(ref _next);
        for (uint i = 0; i < _connections.Length; i++)
        {
            if (_connections[(first + i) % (uint)_connections.Length].Session is not { IsClosed: false, PeerDrains: false } session)
                continue;
            anyUp = true;
            if (session.OpenStream() is { } stream)
                return stream;
        }

        return null;
    }

    private void OnChanged(ClientConnection connection)
    {
        if (connection.Session is null)
            return;
        lock (_lock)
        {
            _up.TrySetResult();
            _up = NewSignal();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>There is no session to carry a stream.</summary>
public sealed class TunnelUnavailableException(string message) : IOException(message);
