using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Tunnel.Links.Host.Filtering;

/// <summary>
/// iptables and ip6tables: two chains in the raw table, which comes before connection tracking and may drop as well. An empty third chain
/// that the second one refers to names the owner.
/// </summary>
internal sealed partial class IptablesBackend(RunTool run) : IFirewallBackend
{
    private const string OwnerPrefix = "to_";

    private static readonly string[] All = ["iptables", "ip6tables"];

    private static readonly string[] Raw = ["-w", "5", "-t", "raw"];

    public string Tool => "iptables";

    /// <summary>In one step for each tool: between two there would be a moment in which the kernel answers the peer.</summary>
    public void Install(FirewallRules rules, FirewallOwner owner)
    {
        string[] tools = [.. Tools(rules)];
        // Rules that these take the place of may have had addresses of the other family.
        foreach (string other in All.Except(tools))
            RemoveWith(other, rules.Name);
        foreach (string tool in tools)
        {
            string? before = OwnerChain(tool, rules.Name);
            ToolResult result = run($"{tool}-restore", ["-w", "5", "--noflush"], Script(rules, tool, owner));
            if (result.IsMissing && tool == "ip6tables" && rules.LocalAddresses.Count == 0)
                continue;
            result.ThrowIfFailed();
            // Refused, as it has to be, while rules for another port are its as well.
            if (before is not null && before != OwnerPrefix + owner)
                run(tool, [.. Raw, "-X", before]);
        }
    }

    public string? Read(FirewallRules rules)
    {
        IEnumerable<string> lines = Tools(rules).SelectMany(tool => Lines(tool).Where(line => line.Contains(rules.Name + "_")));
        string text = string.Join('\n', lines);
        return text.Length > 0 ? text : null;
    }

    public void Remove(string name)
    {
        foreach (string tool in All)
            RemoveWith(tool, name);
    }

    public IReadOnlyList<string> Names() =>
    [
        .. All.SelectMany(Lines)
            .Select(line => ChainName().Match(line))
            .Where(match => match.Success)
            .Select(match => match.Groups[1].Value)
            .Distinct(),
    ];

    public FirewallOwner? Owner(string name)
    {
        string? chain = OwnerChain("iptables", name) ?? OwnerChain("ip6tables", name);
        return chain is null ? null : FirewallOwner.Parse(chain[OwnerPrefix.Length..]);
    }

    public ManualCommands Manual(FirewallRules rules)
    {
        List<string> install = [];
        List<string> remove = [];
        foreach (string tool in Tools(rules))
        {
            string[] chains = [$"-N {rules.Name}_i", $"-N {rules.Name}_o"];
            install.AddRange(chains.Concat(Rules(rules, tool)).Concat(Jumps(rules.Name)).Select(c => $"{tool} -t raw {c}"));
            remove.AddRange(Removal(rules.Name).Select(c => $"{tool} -t raw {string.Join(' ', c)}"));
        }

        return new ManualCommands(Tool, install, remove);
    }

    private static IEnumerable<string> Tools(FirewallRules rules)
    {
        if (rules.LocalAddresses.Count == 0 || rules.LocalAddresses.Any(a => a.AddressFamily == AddressFamily.InterNetwork))
            yield return "iptables";
        if (rules.LocalAddresses.Count == 0 || rules.LocalAddresses.Any(a => a.AddressFamily == AddressFamily.InterNetworkV6))
            yield return "ip6tables";
    }

    /// <summary>What iptables-restore reads: a chain that is named anew is emptied.</summary>
    private string Script(FirewallRules rules, string tool, FirewallOwner owner)
    {
        string[] old = [.. Jumps(rules.Name).Select(jump => jump.Replace("-I ", "-A ", StringComparison.Ordinal))];
        IEnumerable<string> lines =
        [
            "*raw",
            $":{rules.Name}_i - [0:0]",
            $":{rules.Name}_o - [0:0]",
            $":{OwnerPrefix}{owner} - [0:0]",
            .. Rules(rules, tool),
            $"-A {rules.Name}_o -j {OwnerPrefix}{owner}",
            .. Lines(tool).Where(line => old.Contains(line)).Select(line => "-D" + line[2..]),
            .. Jumps(rules.Name),
            "COMMIT",
        ];
        return string.Join('\n', lines) + "\n";
    }

    private static IEnumerable<string> Rules(FirewallRules rules, string tool)
    {
        foreach (string? address in Addresses(rules, tool))
        {
            string? remote = address is null || rules.RemoteAddress is null ? null : NftBackend.Plain(rules.RemoteAddress);
            string incoming = Match("-d", address) + Match("-s", remote) + $"--dport {rules.LocalPorts(':')}" + Remote("--sport", rules);
            string outgoing = Match("-s", address) + Match("-d", remote) + $"--sport {rules.LocalPorts(':')}" + Remote("--dport", rules);
            yield return $"-A {rules.Name}_i -p tcp {incoming} -j DROP";
            yield return $"-A {rules.Name}_o -p tcp {outgoing} --tcp-flags RST RST -j DROP";
            yield return $"-A {rules.Name}_o -p tcp {outgoing} -j CT --notrack";
        }
    }

    private static string[] Jumps(string name) => [$"-I PREROUTING -j {name}_i", $"-I OUTPUT -j {name}_o"];

    private static IEnumerable<string[]> Removal(string name)
    {
        yield return ["-D", "PREROUTING", "-j", name + "_i"];
        yield return ["-D", "OUTPUT", "-j", name + "_o"];
        yield return ["-F", name + "_i"];
        yield return ["-F", name + "_o"];
        yield return ["-X", name + "_i"];
        yield return ["-X", name + "_o"];
    }

    private static IEnumerable<string?> Addresses(FirewallRules rules, string tool)
    {
        AddressFamily family = tool == "iptables" ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        if (rules.LocalAddresses.Count == 0)
            yield return null;
        foreach (IPAddress address in rules.LocalAddresses.Where(a => a.AddressFamily == family))
            yield return NftBackend.Plain(address);
    }

    private static string Match(string option, string? value) => value is null ? string.Empty : $"{option} {value} ";

    private static string Remote(string option, FirewallRules rules) =>
        rules.HasRemotePort ? $" {option} {rules.RemotePorts(':')}" : string.Empty;

    private void RemoveWith(string tool, string name)
    {
        // Nothing of ours, nothing to do: saves half a dozen failing programs at each start.
        if (!Lines(tool).Any(line => line.Contains(name + "_")))
            return;

        string? owner = OwnerChain(tool, name);
        foreach (string[] command in Removal(name))
            run(tool, [.. Raw, .. command]);
        if (owner is not null)
            run(tool, [.. Raw, "-X", owner]);
    }

    private string? OwnerChain(string tool, string name)
    {
        string prefix = $"-A {name}_o -j {OwnerPrefix}";
        return Lines(tool).FirstOrDefault(line => line.StartsWith(prefix, StringComparison.Ordinal))?[(prefix.Length - OwnerPrefix.Length)..];
    }

    private string[] Lines(string tool)
    {
        ToolResult result = run(tool, [.. Raw, "-S"]);
        return result.Succeeded ? result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [];
    }

    [GeneratedRegex(@"^-N (tunnel_\d+)_[io]$")]
    private static partial Regex ChainName();
}
