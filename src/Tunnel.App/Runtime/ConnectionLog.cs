using Microsoft.Extensions.Logging;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>What a user is told of one connection. The same problem every half minute would only hide the others, so it is told once.</summary>
internal sealed partial class ConnectionLog(ILogger logger, int index)
{
    private readonly RateLimitedLog _lost = new(logger, "sessions that ended");
    private string _lastProblem = "";

    public void Connected(in Endpoint server)
    {
        _lastProblem = "";
        LogConnected(logger, index, server);
    }

    public void Draining(in Endpoint server) => LogDraining(logger, index, server);

    public void Lost(CloseReason reason)
    {
        if (_lost.Admits())
            LogLost(logger, index, reason);
    }

    public void Replaced(string server, string reason) => LogReplaced(logger, index, server, reason);

    public void Problem(string problem)
    {
        if (problem == _lastProblem)
            return;
        _lastProblem = problem;
        LogProblem(logger, index, problem);
    }

    /// <param name="longest">Bytes.</param>
    public void Narrower(int longest) => LogNarrower(logger, index, longest);

    public void Fec(Endpoint peer) => LogFec(logger, peer);

    [LoggerMessage(Level = LogLevel.Information, Message = "connection {Index}: session with {Server} is up")]
    private static partial void LogConnected(ILogger logger, int index, Endpoint server);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "connection {Index}: {Server} is about to stop and takes no new streams; those that run go on, and others wait for another session")]
    private static partial void LogDraining(ILogger logger, int index, Endpoint server);

    [LoggerMessage(Level = LogLevel.Warning, Message = "connection {Index}: the session ended ({Reason}); connecting again")]
    private static partial void LogLost(ILogger logger, int index, CloseReason reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "connection {Index}: another session with {Server} is to replace this one ({Reason}); streams that it has go on")]
    private static partial void LogReplaced(ILogger logger, int index, string server, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "connection {Index}: {Problem}; trying again")]
    private static partial void LogProblem(ILogger logger, int index, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "connection {Index}: the link's MTU is smaller now: datagrams are {Largest} bytes at most")]
    private static partial void LogNarrower(ILogger logger, int index, int largest);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Peer} sends forward error correction packets; this version drops them: turn FEC off there")]
    private static partial void LogFec(ILogger logger, Endpoint peer);
}
