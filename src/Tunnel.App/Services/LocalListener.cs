using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;

namespace Tunnel.App.Services;

/// <summary>A TCP listener that hands each connection to a service; what goes wrong with one connection or one accept ends neither.</summary>
public abstract partial class LocalListener(IPEndPoint listen, ListenerGate gate, ILogger logger) : ILocalListener, IRelayOwner
{
    private static readonly TimeSpan PauseAfterError = TimeSpan.FromMilliseconds(100);

    private SocketAcceptor[] _acceptors = [];
    private int _active;

    /// <summary>Where it is told to listen.</summary>
    public IPEndPoint Wanted { get; } = listen;

    /// <summary>Where it listens, once bound: port 0 has become a real one.</summary>
    public IPEndPoint LocalEndPoint { get; private set; } = listen;

    /// <summary>Connections being served.</summary>
    public int Active => Volatile.Read(ref _active);

    protected ILogger Logger { get; } = logger;

    /// <exception cref="SocketException">The address is taken or not this host's.</exception>
    public void Bind()
    {
        Socket[] sockets = ListenSockets.Open(LocalEndPoint, gate.Acceptors, gate.Backlog);
        LocalEndPoint = (IPEndPoint)sockets[0].LocalEndPoint!;
        _acceptors = Watch(sockets);
        LogListening(Logger, Name, LocalEndPoint);
    }

    /// <inheritdoc/>
    public void ListenAgain()
    {
        foreach (SocketAcceptor acceptor in _acceptors)
            acceptor.ListenAgain(gate.Backlog);
    }

    /// <summary>Accepts until cancelled or disposed.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(_acceptors.Select(acceptor => new AcceptLoop(
        acceptor.AcceptAsync,
        accepted => Take(accepted, stop),
        error => gate.OnAcceptFailed(Name, error),
        () => Task.Delay(PauseAfterError, CancellationToken.None)).RunAsync(stop)));

    public void Dispose()
    {
        foreach (SocketAcceptor acceptor in _acceptors)
            acceptor.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>What it is called in logs.</summary>
    protected abstract string Name { get; }

    /// <summary>Serves one connection; the socket is the callee's.</summary>
    /// <returns>What carries it from now on, to be started; null when it was served to its end.</returns>
    protected abstract ValueTask<Relay?> HandleAsync(TcpSocket socket, CancellationToken stop);

    private static SocketAcceptor[] Watch(Socket[] sockets)
    {
        var acceptors = new List<SocketAcceptor>(sockets.Length);
        try
        {
            foreach (Socket socket in sockets)
                acceptors.Add(LocalSockets.Accept(socket));
            return [.. acceptors];
        }
        catch
        {
            acceptors.ForEach(a => a.Dispose());
            Array.ForEach(sockets, s => s.Dispose());
            throw;
        }
    }

    private void Take(TcpSocket socket, CancellationToken stop)
    {
        if (gate.TryEnter(Name))
            _ = ServeAsync(socket, stop);
        else
            // A reset: whoever connects learns at once, and nothing of it stays.
            socket.Reset();
    }

    void IRelayOwner.OnOver(Exception? defect)
    {
        if (defect is not null)
            DefectLog.OfProcess.Met(defect, $"a connection of {Name}");
        Leave();
    }

    private async Task ServeAsync(TcpSocket socket, CancellationToken stop)
    {
        Interlocked.Increment(ref _active);
        try
        {
            if (await HandleAsync(socket, stop).ConfigureAwait(false) is { } relay)
            {
                relay.Start(this, stop);
                return;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            gate.OnBroken(Name, e.Message);
        }
        catch (Exception e)
        {
            // Half of something is not to pass for the whole.
            socket.Reset();
            DefectLog.OfProcess.Met(e, $"a connection of {Name}");
        }

        socket.Dispose();
        Leave();
    }

    private void Leave()
    {
        Interlocked.Decrement(ref _active);
        gate.Leave();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name} listens on {Address}")]
    private static partial void LogListening(ILogger logger, string name, IPEndPoint address);
}
