using System.Globalization;
using Tunnel.Links.Host.Filtering;

namespace Tunnel.Links.Host;

/// <summary>A firewall tool of this host, and which tunnels' rules are in it.</summary>
/// <param name="Tool">nft or iptables.</param>
/// <param name="Problem">Why it cannot be asked: not installed, no permission; null when it answered.</param>
/// <param name="Rules">The rules like ours.</param>
public sealed record FirewallSurvey(string Tool, string? Problem, IReadOnlyList<InstalledRules> Rules)
{
    /// <summary>Asks each tool, the preferred one first.</summary>
    public static IReadOnlyList<FirewallSurvey> Read() => Read(ToolRunner.Run);

    internal static IReadOnlyList<FirewallSurvey> Read(RunTool run) => [.. FirewallBackends.All(run).Select(b => Ask(b, run))];

    private static FirewallSurvey Ask(IFirewallBackend backend, RunTool run)
    {
        string[] question = backend.Tool == "nft" ? ["list", "tables", "inet"] : ["-t", "raw", "-S"];
        try
        {
            run(backend.Tool, question).ThrowIfFailed();
            return new FirewallSurvey(backend.Tool, null, [.. backend.Names().Select(name => Describe(backend, name))]);
        }
        catch (ToolException e)
        {
            return new FirewallSurvey(backend.Tool, e.Message, []);
        }
    }

    private static InstalledRules Describe(IFirewallBackend backend, string name)
    {
        int port = int.Parse(name.AsSpan(name.LastIndexOf('_') + 1), CultureInfo.InvariantCulture);
        string text = backend.Read(new FirewallRules { Role = FirewallRole.Server, FirstPort = port }) ?? "";
        FirewallOwner? owner = backend.Owner(name);
        return new InstalledRules(
            port, owner?.ProcessId, owner is { IsDead: false }, text.Contains("notrack", StringComparison.OrdinalIgnoreCase), HasDrop(text));
    }

    // nft prints "tcp flags rst / rst drop", iptables "--tcp-flags RST RST -j DROP".
    private static bool HasDrop(string text) =>
        text.Contains("rst", StringComparison.OrdinalIgnoreCase) && text.Contains("drop", StringComparison.OrdinalIgnoreCase);
}

/// <summary>The rules of one tunnel end, as they are in the firewall now.</summary>
/// <param name="Port">This end's own (first) port.</param>
/// <param name="Owner">The process that installed them; null if a person did.</param>
/// <param name="IsOwned">That process lives.</param>
/// <param name="ExemptsFromTracking">The kernel does not track the tunnel's segments as connections.</param>
/// <param name="DropsResets">The kernel's own RSTs do not leave.</param>
public sealed record InstalledRules(int Port, int? Owner, bool IsOwned, bool ExemptsFromTracking, bool DropsResets);
