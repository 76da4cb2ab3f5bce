using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Tunnel.Links.Host.Filtering;

/// <summary>nftables: one table of the inet family, replaced in one transaction.</summary>
internal sealed partial class NftBackend(RunTool run) : IFirewallBackend
{
    private const string OwnerPrefix = "owner_";

    public string Tool => "nft";

    public void Install(FirewallRules rules, FirewallOwner owner) => run("nft", ["-f", "-"], Script(rules, owner)).ThrowIfFailed();

    public string? Read(FirewallRules rules)
    {
        ToolResult result = List(rules.Name);
        return result.Succeeded ? result.Output : null;
    }

    public void Remove(string name) => run("nft", ["delete", "table", "inet", name]);

    public IReadOnlyList<string> Names()
    {
        ToolResult result = run("nft", ["list", "tables", "inet"]);
        return result.Succeeded ? [.. TableName().Matches(result.Output).Select(m => m.Groups[1].Value)] : [];
    }

    public FirewallOwner? Owner(string name)
    {
        ToolResult result = List(name);
        Match match = OwnerChain().Match(result.Output);
        return result.Succeeded && match.Success ? FirewallOwner.Parse(match.Groups[1].Value) : null;
    }

    public ManualCommands Manual(FirewallRules rules)
    {
        List<string> install = [$"nft add table inet {rules.Name}"];
        foreach ((string chain, IEnumerable<string> chainRules) in Chains(rules))
        {
            install.Add($"nft add chain inet {rules.Name} {chain} '{{ {Hook(chain)} }}'");
            install.AddRange(chainRules.Select(rule => $"nft add rule inet {rules.Name} {chain} '{rule}'"));
        }

        return new ManualCommands(Tool, install, [$"nft delete table inet {rules.Name}"]);
    }

    /// <summary>Adding before deleting makes the deletion succeed whether or not the table was there.</summary>
    internal static string Script(FirewallRules rules, FirewallOwner owner)
    {
        var script = new StringBuilder();
        script.Append($"add table inet {rules.Name}\ndelete table inet {rules.Name}\ntable inet {rules.Name} {{\n");
        script.Append($"    chain {OwnerPrefix}{owner} {{\n    }}\n");
        foreach ((string chain, IEnumerable<string> chainRules) in Chains(rules))
        {
            script.Append($"    chain {chain} {{\n        {Hook(chain)}\n");
            foreach (string rule in chainRules)
                script.Append($"        {rule}\n");
            script.Append("    }\n");
        }

        return script.Append("}\n").ToString();
    }

    private static string Hook(string chain) => $"type filter hook {chain} priority raw; policy accept;";

    private static IEnumerable<(string Chain, IEnumerable<string> Rules)> Chains(FirewallRules rules)
    {
        string incoming = $"tcp dport {rules.LocalPorts('-')}" + (rules.HasRemotePort ? $" tcp sport {rules.RemotePorts('-')}" : string.Empty);
        string outgoing = $"tcp sport {rules.LocalPorts('-')}" + (rules.HasRemotePort ? $" tcp dport {rules.RemotePorts('-')}" : string.Empty);
        yield return ("prerouting", Sides(rules, "daddr", "saddr").Select(side => $"{side}{incoming} drop"));
        yield return ("output", Sides(rules, "saddr", "daddr").SelectMany(side => (string[])
        [
            $"{side}{outgoing} tcp flags & rst == rst drop",
            $"{side}{outgoing} notrack",
        ]));
    }

    /// <summary>The match on the local addresses: none, or one for each family that has any; and on the remote one, where there is one of the family.</summary>
    private static IEnumerable<string> Sides(FirewallRules rules, string field, string remoteField)
    {
        if (rules.LocalAddresses.Count == 0)
            yield return string.Empty;
        foreach (IGrouping<AddressFamily, IPAddress> family in rules.LocalAddresses.GroupBy(a => a.AddressFamily).OrderBy(g => g.Key))
        {
            string protocol = family.Key == AddressFamily.InterNetworkV6 ? "ip6" : "ip";
            string remote = rules.RemoteAddress is { } address && address.AddressFamily == family.Key ? $"{protocol} {remoteField} {Plain(address)} " : string.Empty;
            yield return $"{protocol} {field} {{ {string.Join(", ", family.Select(Plain))} }} {remote}";
        }
    }

    /// <summary>Without the scope, which filters do not know.</summary>
    internal static string Plain(IPAddress address) => address.ToString().Split('%')[0];

    private ToolResult List(string name) => run("nft", ["-s", "list", "table", "inet", name]);

    [GeneratedRegex(@"^table inet (tunnel_\d+)\s*$", RegexOptions.Multiline)]
    private static partial Regex TableName();

    [GeneratedRegex(@"^\s*chain owner_([0-9a-f_]+) \{", RegexOptions.Multiline)]
    private static partial Regex OwnerChain();
}
