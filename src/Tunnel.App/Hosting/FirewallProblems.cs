using System.Numerics;
using Microsoft.Extensions.Logging;

namespace Tunnel.App.Hosting;

/// <summary>
/// What the log hears of firewall rules that fail or vanish: the first time, and then the second, fourth, eighth. Whoever is at fault (a missing
/// tool, another program that flushes the ruleset) goes on with it for as long as nobody looks, and one look is enough. Shared by a client's
/// connections, each of which has rules of its own at each try. Thread-safe.
/// </summary>
internal sealed partial class FirewallProblems(ILogger logger)
{
    private readonly Lock _lock = new();
    private string _last = "";
    private int _failures;
    private int _losses;

    /// <summary>They cannot be installed, or looked at; the same again is the same failure until they are there.</summary>
    public void Failed(string problem)
    {
        lock (_lock)
        {
            if (problem == _last)
                return;
            _last = problem;
            Tell(++_failures, () => LogProblem(logger, problem), () => LogProblemAgain(logger, problem, _failures));
        }
    }

    /// <summary>They were gone, and are there again.</summary>
    public void Restored(int port)
    {
        lock (_lock)
        {
            _last = "";
            Tell(++_losses, () => LogReinstalled(logger, port), () => LogReinstalledAgain(logger, port, _losses));
        }
    }

    private static void Tell(int count, Action first, Action again)
    {
        if (count == 1)
            first();
        else if (BitOperations.IsPow2(count))
            again();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}")]
    private static partial void LogProblem(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}\n(the {Count}th failure; the next of which this tells is twice as many)")]
    private static partial void LogProblemAgain(ILogger logger, string problem, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the firewall rules for port {Port} were gone; they are installed again")]
    private static partial void LogReinstalled(ILogger logger, int port);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "the firewall rules for port {Port} were gone; they are installed again, {Count} times so far: something on this host removes them again and again")]
    private static partial void LogReinstalledAgain(ILogger logger, int port, int count);
}
