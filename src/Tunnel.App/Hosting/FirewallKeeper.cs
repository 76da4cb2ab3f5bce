using Microsoft.Extensions.Logging;
using Tunnel.Links;
using Tunnel.Links.Host;

namespace Tunnel.App.Hosting;

/// <summary>
/// Keeps the rules of one tunnel end in the firewall: installs them, installs them again when somebody flushed or changed them
/// (<see cref="FirewallRounds"/>), or could not be installed before, follows this host's addresses, removes them at the end.
/// </summary>
internal sealed partial class FirewallKeeper : IDisposable
{
    private readonly Func<FirewallRules> _wanted;
    private readonly Func<FirewallRules, Firewall> _install;
    private readonly ILogger _logger;
    private readonly FirewallProblems _problems;
    private readonly Lock _lock = new();
    private FirewallRules _rules;
    private Firewall? _firewall;
    private bool _disposed;

    private FirewallKeeper(Func<FirewallRules> wanted, ILogger logger, FirewallProblems problems, Func<FirewallRules, Firewall> install)
    {
        (_wanted, _install) = (wanted, install);
        _logger = logger;
        _problems = problems;
        _rules = wanted();
        FirewallRounds.Listen();
        _firewall = Install();
        FirewallRounds.Add(this);
    }

    /// <summary>
    /// Installs the rules and keeps them. Without a tool to do it with, it says which commands a person would run, and goes on: the
    /// tunnel may work all the same (a firewall elsewhere, or commands already run).
    /// </summary>
    /// <param name="wanted">The rules as they should be now.</param>
    /// <param name="logger">Where it says that they are installed.</param>
    /// <param name="problems">Where it says that they are not.</param>
    /// <exception cref="LinkException">Another living process holds the port (PortInUse).</exception>
    public static FirewallKeeper Start(Func<FirewallRules> wanted, ILogger logger, FirewallProblems problems) =>
        Start(wanted, logger, problems, Firewall.Install);

    /// <summary>The same with another way to install rules.</summary>
    internal static FirewallKeeper Start(
        Func<FirewallRules> wanted, ILogger logger, FirewallProblems problems, Func<FirewallRules, Firewall> install) => new(wanted, logger, problems, install);

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
                _problems.Failed(e.Message);
            }
        }
    }

    public void Dispose()
    {
        FirewallRounds.Remove(this);
        lock (_lock)
        {
            _disposed = true;
            _firewall?.Remove();
        }
    }

    private Firewall? Install()
    {
        try
        {
            Firewall firewall = _install(_rules);
            LogInstalled(_logger, firewall.Tool, _rules.FirstPort);
            return firewall;
        }
        catch (LinkException e) when (e.Fault != LinkFault.PortInUse)
        {
            _problems.Failed(e.Message);
            return null;
        }
    }

    /// <summary>With what the rules were installed; null when they were not.</summary>
    public string? Tool => Volatile.Read(ref _firewall)?.Tool;

    /// <summary>What the rules are called; null when they were not installed.</summary>
    public string? Name => Volatile.Read(ref _firewall)?.Name;

    /// <summary>
    /// Looks whether the rules are as they were installed, and installs them again if not, which is what true says. What failed may be over: a tool that
    /// did not answer once, a host that had no room for another process.
    /// </summary>
    public bool Check()
    {
        lock (_lock)
        {
            if (_disposed)
                return false;
            try
            {
                FollowAddresses();
                bool isRestored = _firewall is null ? TryAgain() : _firewall.Check() == FirewallState.Reinstalled;
                if (!isRestored)
                    return false;
                _problems.Restored(_rules.FirstPort);
            }
            catch (LinkException e)
            {
                _problems.Failed(e.Message);
            }

            return true;
        }
    }

    private void FollowAddresses()
    {
        FirewallRules wanted = _wanted();
        if (wanted.LocalAddresses.SequenceEqual(_rules.LocalAddresses))
            return;
        // An interface may have none for a while. Rules without an address are for all of the host's, and others may have connections on the port there.
        if (wanted.LocalAddresses.Count == 0)
            return;
        // In the place of the old ones, which have the same name: sessions that go on are not reset in between.
        _rules = wanted;
        if (_firewall is not null)
            _firewall = Install();
    }

    private bool TryAgain() => (_firewall = Install()) is not null;

    [LoggerMessage(Level = LogLevel.Debug, Message = "firewall rules for port {Port} installed with {Tool}")]
    private static partial void LogInstalled(ILogger logger, string tool, int port);
}
