using Tunnel.Links.Host.Filtering;

namespace Tunnel.Links.Host;

/// <summary>
/// The rules that one tunnel end needs and owns. The kernel knows no socket for the tunnel's port, so it would answer each of the peer's
/// segments with a RST; and it would track connections that it cannot understand. So what comes in is dropped before either: captures see it
/// earlier, and the kernel's TCP need not look for a socket, nor make the answer. What is injected does not pass these rules; outwards
/// they stop the kernel's own RSTs, should one be made all the same. One table of nftables, or chains of iptables, named after the port; nothing else is touched.
/// </summary>
public sealed class Firewall : IDisposable
{
    private readonly IFirewallBackend _backend;
    private readonly FirewallRules _rules;
    private readonly Lock _gate = new();
    private string _installed;
    private bool _removed;

    private Firewall(IFirewallBackend backend, FirewallRules rules)
    {
        _backend = backend;
        _rules = rules;
        _installed = InstallAndRead();
    }

    /// <summary>nft or iptables.</summary>
    public string Tool => _backend.Tool;

    /// <summary>What the rules are called.</summary>
    public string Name => _rules.Name;

    /// <summary>
    /// Installs the rules, in the place of any of the same name that a dead process left. Throws <see cref="LinkException"/> whose
    /// message has the commands to run by hand if it cannot; PortInUse if a living process has rules for this port.
    /// </summary>
    public static Firewall Install(FirewallRules rules) => Install(rules, FirewallBackends.All(ToolRunner.Run));

    /// <summary>Removes what crashed processes left: rules named like ours whose owner is not alive any more. Returns their names.</summary>
    public static IReadOnlyList<string> CleanUpStale() => CleanUpStale(FirewallBackends.All(ToolRunner.Run));

    /// <summary>The names of rules like ours that a tool finds; none when it fails.</summary>
    /// <param name="tool">As <see cref="Tool"/> says it.</param>
    public static IReadOnlySet<string> ListNames(string tool) =>
        FirewallBackends.All(ToolRunner.Run).Where(b => b.Tool == tool).SelectMany(b => b.Names()).ToHashSet();

    /// <summary>The commands with which a person does what <see cref="Install(FirewallRules)"/> would, for each tool.</summary>
    public static IReadOnlyList<ManualCommands> ManualCommands(FirewallRules rules) =>
        [.. FirewallBackends.All(ToolRunner.Run).Select(b => b.Manual(rules))];

    /// <summary>
    /// Looks whether the rules are there and unchanged, and installs them again if not. Throws <see cref="LinkException"/> if that fails.
    /// </summary>
    public FirewallState Check()
    {
        lock (_gate)
        {
            if (_removed || _backend.Read(_rules) == _installed)
                return FirewallState.Intact;
            try
            {
                _installed = InstallAndRead();
                return FirewallState.Reinstalled;
            }
            catch (ToolException e)
            {
                throw new LinkException(
                    LinkFault.Other,
                    $"the firewall rules for port {_rules.FirstPort} are gone and cannot be installed again: {_backend.Tool}: {e.Message}",
                    e);
            }
        }
    }

    /// <summary>Removes the rules. Does not fail: there is nobody left to do something about it.</summary>
    public void Remove()
    {
        lock (_gate)
        {
            if (!_removed)
                _backend.Remove(_rules.Name);
            _removed = true;
        }
    }

    public void Dispose() => Remove();

    internal static Firewall Install(FirewallRules rules, IReadOnlyList<IFirewallBackend> backends)
    {
        List<string> reasons = [];
        bool anyTool = false;
        foreach (IFirewallBackend backend in backends)
        {
            if (backend.Owner(rules.Name) is { IsAliveElsewhere: true } owner)
            {
                throw new LinkException(
                    LinkFault.PortInUse,
                    $"process {owner.ProcessId} has firewall rules for port {rules.FirstPort}: is a tunnel running on that port already?");
            }

            try
            {
                return new Firewall(backend, rules);
            }
            catch (ToolException e)
            {
                anyTool |= !e.IsMissing;
                reasons.Add($"{backend.Tool}: {e.Message}");
                backend.Remove(rules.Name);
            }
        }

        throw Failure(rules, backends, reasons, anyTool);
    }

    internal static IReadOnlyList<string> CleanUpStale(IReadOnlyList<IFirewallBackend> backends)
    {
        List<string> removed = [];
        foreach (IFirewallBackend backend in backends)
        {
            foreach (string name in backend.Names())
            {
                if (backend.Owner(name) is not { IsDead: true })
                    continue;
                backend.Remove(name);
                removed.Add(name);
            }
        }

        return removed;
    }

    private string InstallAndRead()
    {
        _backend.Install(_rules, FirewallOwner.Self);

        // What the tool prints is its own wording of what was installed; a later print is compared with this one, not with our text.
        return _backend.Read(_rules) ?? throw new ToolException("the rules are not there after they were installed", isMissing: false);
    }

    private static LinkException Failure(
        FirewallRules rules, IReadOnlyList<IFirewallBackend> backends, List<string> reasons, bool anyTool)
    {
        LinkFault fault = !anyTool ? LinkFault.MissingDependency
            : !Privilege.Current().HasNetAdmin ? LinkFault.Privilege
            : LinkFault.Other;
        string todo = fault switch
        {
            LinkFault.MissingDependency => "install nftables (or iptables)",
            LinkFault.Privilege => "run with CAP_NET_ADMIN",
            _ => "repair it",
        };
        IEnumerable<string> commands = backends.Select(b => b.Manual(rules)).Select(m => $"with {m.Tool}:\n  {string.Join("\n  ", m.Install)}");
        return new LinkException(
            fault,
            $"cannot install the firewall rules for port {rules.FirstPort} ({string.Join("; ", reasons)}): {todo}, or run as root "
            + string.Join("\nor ", commands)
            + (rules.PortSetting is { } setting ? $"\nPort {rules.FirstPort} is this try's alone: set {setting} first, and run the commands with that number" : ""));
    }
}
