using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Tunnel.App.Services;

/// <summary>A TCP listener that hands each connection to a service; what goes wrong with one connection or one accept ends neither.</summary>
public abstract partial class LocalListener(IPEndPoint listen, ILogger logger) : ILocalListener
{
    private static readonly TimeSpan PauseAfterError = TimeSpan.FromMilliseconds(100);

    private readonly Socket _listener = new(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
    private int _active;

    /// <summary>Where it is told to listen.</summary>
    public IPEndPoint Wanted => listen;

    /// <summary>Where it listens, once bound: port 0 has become a real one.</summary>
    public IPEndPoint LocalEndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Connections being served.</summary>
    public int Active => Volatile.Read(ref _active);

    protected ILogger Logger { get; } = logger;

    /// <exception cref="SocketException">The address is taken or not this host's.</exception>
    public void Bind()
    {
        if (listen.AddressFamily == AddressFamily.InterNetworkV6)
            _listener.DualMode = listen.Address.Equals(IPAddress.IPv6Any);
        _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.Bind(listen);
        // The kernel cuts this to net.core.somaxconn.
        _listener.Listen(int.MaxValue);
        LogListening(Logger, Name, LocalEndPoint);
    }

    /// <summary>Accepts until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                Socket socket = await _listener.AcceptAsync(stop).ConfigureAwait(false);
                _ = ServeAsync(socket, stop);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.OperationAborted)
            {
                // Disposed while it waited.
                return;
            }
            catch (SocketException e)
            {
                // Out of descriptors, most likely: give others the time to close theirs.
                LogAcceptFailed(Logger, Name, e.SocketErrorCode);
                await Task.Delay(PauseAfterError, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>What it is called in logs.</summary>
    protected abstract string Name { get; }

    /// <summary>Serves one connection to its end; the socket is the callee's.</summary>
    protected abstract Task HandleAsync(Socket socket, CancellationToken stop);

    private async Task ServeAsync(Socket socket, CancellationToken stop)
    {
        Interlocked.Increment(ref _active);
        try
        {
            socket.NoDelay = true;
            await HandleAsync(socket, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            LogConnectionEnded(Logger, Name, e.Message);
        }
        finally
        {
            Interlocked.Decrement(ref _active);
            socket.Dispose();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name} listens on {Address}")]
    private static partial void LogListening(ILogger logger, string name, IPEndPoint address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Name} could not accept a connection: {Error}")]
    private static partial void LogAcceptFailed(ILogger logger, string name, SocketError error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Name}: {Problem}")]
    private static partial void LogConnectionEnded(ILogger logger, string name, string problem);
}
