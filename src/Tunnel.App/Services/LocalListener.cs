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

    /// <summary>
    /// Begins to serve a connection, which ends with <see cref="End"/>, or with that of the relay that carries it (<see cref="Carry"/>); throws only when
    /// it has not begun.
    /// </summary>
    protected abstract void Serve(TcpSocket socket, CancellationToken stop);

    /// <summary>A relay carries a connection from now on.</summary>
    protected void Carry(Relay relay, CancellationToken stop) => relay.Start(this, stop);

    /// <summary>Closes a connection that no relay carries.</summary>
    /// <param name="socket">Its.</param>
    /// <param name="problem">What went wrong; null when it was served to its end.</param>
    protected void End(TcpSocket socket, Exception? problem)
    {
        if (problem is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            gate.OnBroken(Name, problem.Message);
        }
        else if (problem is not null)
        {
            // Half of something is not to pass for the whole.
            socket.Reset();
            DefectLog.OfProcess.Met(problem, $"a connection of {Name}");
        }

        socket.Dispose();
        Leave();
    }

    private static SocketAcceptor[] Watch(Socket[] sockets)
    {
        var acceptors = new List<SocketAcceptor>(sockets.Length);
        try
        {
            foreach (Socket socket in sockets)
                acceptors.Add(Reactors.OfProcess.Accept(socket));
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
        if (!gate.TryEnter(Name))
        {
            // A reset: whoever connects learns at once, and nothing of it stays.
            socket.Reset();
            return;
        }

        Interlocked.Increment(ref _active);
        try
        {
            Serve(socket, stop);
        }
        catch (Exception defect)
        {
            End(socket, defect);
        }
    }

    void IRelayOwner.OnOver(Exception? defect)
    {
        if (defect is not null)
            DefectLog.OfProcess.Met(defect, $"a connection of {Name}");
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
