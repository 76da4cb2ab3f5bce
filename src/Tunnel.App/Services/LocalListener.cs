using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Tunnel.App.Services;

/// <summary>A TCP listener that hands each connection to a service; what goes wrong with one connection or one accept ends neither.</summary>
public abstract partial class LocalListener(IPEndPoint listen, ListenerGate gate, ILogger logger) : ILocalListener
{
    private static readonly TimeSpan PauseAfterError = TimeSpan.FromMilliseconds(100);

    // An application that vanished without a word is noticed after two minutes.
    private const int KeepAliveIdle = 60;
    private const int KeepAliveInterval = 10;
    private const int KeepAliveProbes = 6;

    private Socket[] _sockets = [];
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
        _sockets = ListenSockets.Open(LocalEndPoint, gate.Acceptors, gate.Backlog);
        LocalEndPoint = (IPEndPoint)_sockets[0].LocalEndPoint!;
        LogListening(Logger, Name, LocalEndPoint);
    }

    /// <inheritdoc/>
    public void ListenAgain()
    {
        try
        {
            foreach (Socket socket in _sockets)
                socket.Listen(gate.Backlog);
        }
        catch (ObjectDisposedException)
        {
            // It accepts no more.
        }
    }

    /// <summary>Accepts until cancelled or disposed.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(_sockets.Select(socket => new AcceptLoop(
        socket.AcceptAsync,
        accepted => Take(accepted, stop),
        error => gate.OnAcceptFailed(Name, error),
        () => Task.Delay(PauseAfterError, CancellationToken.None)).RunAsync(stop)));

    public void Dispose()
    {
        foreach (Socket socket in _sockets)
            socket.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>What it is called in logs.</summary>
    protected abstract string Name { get; }

    /// <summary>Serves one connection to its end; the socket is the callee's.</summary>
    protected abstract Task HandleAsync(Socket socket, CancellationToken stop);

    private void Take(Socket socket, CancellationToken stop)
    {
        if (gate.TryEnter(Name))
            _ = ServeAsync(socket, stop);
        else
            // A reset: whoever connects learns at once, and nothing of it stays.
            socket.Close(0);
    }

    private async Task ServeAsync(Socket socket, CancellationToken stop)
    {
        Interlocked.Increment(ref _active);
        try
        {
            SetUp(socket);
            await HandleAsync(socket, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            LogConnectionEnded(Logger, Name, e.Message);
        }
        finally
        {
            Interlocked.Decrement(ref _active);
            gate.Leave();
            socket.Dispose();
        }
    }

    private static void SetUp(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveIdle);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveInterval);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveProbes);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name} listens on {Address}")]
    private static partial void LogListening(ILogger logger, string name, IPEndPoint address);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Name}: {Problem}")]
    private static partial void LogConnectionEnded(ILogger logger, string name, string problem);
}
