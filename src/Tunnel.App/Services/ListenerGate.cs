using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;

namespace Tunnel.App.Services;

/// <summary>
/// What all listeners of a client share: the cap on their connections, and the messages that a storm of connections causes.
/// Thread-safe.
/// </summary>
/// <param name="listeners">The settings now.</param>
/// <param name="logger">Where a user sees what was refused.</param>
public sealed partial class ListenerGate(Func<ListenersConfig> listeners, ILogger logger)
{
    public ListenerGate(ListenersConfig listeners, ILogger logger)
        : this(() => listeners, logger)
    {
    }

    private readonly RateLimitedLog _full = new(logger, "connections over the cap");
    private readonly RateLimitedLog _failed = new(logger, "connections that could not be accepted");
    private readonly RateLimitedLog _broken = new(logger, "connections that broke");
    private int _active;
    private long _refused;
    private long _acceptErrors;

    /// <summary>Connections that may wait on each socket; the kernel cuts it to net.core.somaxconn.</summary>
    public int Backlog => listeners().Backlog ?? int.MaxValue;

    /// <summary>Sockets that each listener accepts on.</summary>
    public int Acceptors => listeners().Acceptors ?? Environment.ProcessorCount;

    /// <summary>Connections being served.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>Connections closed at once because there were too many.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    public long AcceptErrors => Interlocked.Read(ref _acceptErrors);

    /// <summary>Counts a connection in; false when there are too many. What came in goes out with <see cref="Leave"/>.</summary>
    public bool TryEnter(string name)
    {
        int maximum = listeners().MaxConnections;
        if (Interlocked.Increment(ref _active) <= maximum)
            return true;
        Leave();
        Interlocked.Increment(ref _refused);
        if (_full.Admits())
            LogFull(logger, name, maximum);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _active);

    public void OnAcceptFailed(string name, SocketError error)
    {
        Interlocked.Increment(ref _acceptErrors);
        if (_failed.Admits())
            LogAcceptFailed(logger, name, error);
    }

    /// <summary>A connection ended otherwise than in order.</summary>
    public void OnBroken(string name, string problem)
    {
        if (logger.IsEnabled(LogLevel.Debug) && _broken.Admits())
            LogBroken(logger, name, problem);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Name}: {Problem}")]
    private static partial void LogBroken(ILogger logger, string name, string problem);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Name} closed a connection at once: there are {Maximum} already (listeners.max_connections)")]
    private static partial void LogFull(ILogger logger, string name, int maximum);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Name} could not accept a connection: {Error}; goes on")]
    private static partial void LogAcceptFailed(ILogger logger, string name, SocketError error);
}
