using Microsoft.Extensions.Logging;
using Tunnel.Links;
using Tunnel.Links.Host;

namespace Tunnel.App.Hosting;

/// <summary>
/// Keeps the rules of one tunnel end in the firewall: installs them, looks every few seconds whether somebody flushed them, follows
/// this host's addresses, removes them at the end.
/// </summary>
internal sealed partial class FirewallKeeper : IDisposable
{
    /// <summary>How often rules are looked at; with many links less often, lest the tools that do it become the process's main work.</summary>
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(5);
    private const int UnhurriedLinks = 8;

    private static int _count;

    private readonly Func<FirewallRules> _wanted;
    private readonly ILogger _logger;
    private readonly Timer _timer;
    private readonly Lock _lock = new();
    private FirewallRules _rules;
    private Firewall? _firewall;
    private string _lastProblem = "";
    private bool _disposed;

    private FirewallKeeper(Func<FirewallRules> wanted, ILogger logger)
    {
        _wanted = wanted;
        _logger = logger;
        _rules = wanted();
        _firewall = Install();
        Interlocked.Increment(ref _count);
        _timer = new Timer(_ => CheckAndGoOn());
        WaitForNext();
    }

    /// <summary>
    /// Installs the rules and keeps them. Without a tool to do it with, it says which commands a person would run, and goes on: the
    /// tunnel may work all the same (a firewall elsewhere, or commands already run).
    /// </summary>
    /// <exception cref="LinkException">Another living process holds the port (PortInUse).</exception>
    public static FirewallKeeper Start(Func<FirewallRules> wanted, ILogger logger) => new(wanted, logger);

    /// <summary>This host's addresses may have changed: follows them at once.</summary>
    public void Follow()
    {
        lock (_lock)
        {
            try
            {
                if (!_disposed)
                    FollowAddresses();
            }
            catch (LinkException e)
            {
                Complain(e.Message);
            }
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            if (!_disposed)
                Interlocked.Decrement(ref _count);
            _disposed = true;
            _firewall?.Remove();
        }
    }

    private Firewall? Install()
    {
        try
        {
            Firewall firewall = Firewall.Install(_rules);
            LogInstalled(_logger, firewall.Tool, _rules.FirstPort);
            return firewall;
        }
        catch (LinkException e) when (e.Fault != LinkFault.PortInUse)
        {
            Complain(e.Message);
            return null;
        }
    }

    private void CheckAndGoOn()
    {
        Check();
        WaitForNext();
    }

    /// <summary>Once at a time: checks that wait for each other would take every thread there is.</summary>
    private void WaitForNext()
    {
        try
        {
            _timer.Change(CheckInterval * (1 + (Volatile.Read(ref _count) / UnhurriedLinks)), Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // Nobody needs the rules any more.
        }
    }

    private void Check()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            try
            {
                FollowAddresses();
                if (_firewall?.Check() == FirewallState.Reinstalled)
                    LogReinstalled(_logger, _rules.FirstPort);
            }
            catch (LinkException e)
            {
                Complain(e.Message);
            }
        }
    }

    private void FollowAddresses()
    {
        FirewallRules wanted = _wanted();
        if (_firewall is null || wanted.LocalAddresses.SequenceEqual(_rules.LocalAddresses))
            return;
        // In the place of the old ones, which have the same name: sessions that go on are not reset in between.
        _rules = wanted;
        _firewall = Install();
    }

    private void Complain(string problem)
    {
        if (problem == _lastProblem)
            return;
        _lastProblem = problem;
        LogProblem(_logger, problem);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "firewall rules for port {Port} installed with {Tool}")]
    private static partial void LogInstalled(ILogger logger, string tool, int port);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the firewall rules for port {Port} were gone; they are installed again")]
    private static partial void LogReinstalled(ILogger logger, int port);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}")]
    private static partial void LogProblem(ILogger logger, string problem);
}
