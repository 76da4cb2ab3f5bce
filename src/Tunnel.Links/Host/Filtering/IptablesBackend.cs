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

    private static readonly string[] Raw = ["-w", "5", "-t", "raw"];

    public string Tool => "iptables";

    public void Install(FirewallRules rules, FirewallOwner owner)
    {
        // With both tools: rules that these take the place of may have had addresses of the other family.
        Remove(rules.Name);
        foreach (string tool in Tools(rules))
        {
            bool optional = tool == "ip6tables" && rules.LocalAddresses.Count == 0;
            foreach (string[] command in Commands(rules, tool, owner))
            {
                ToolResult result = run(tool, [.. Raw, .. command]);
                if (optional && result.IsMissing)
                    break;

                // The owner's chain is there already if the process has rules for another port.
                if (command is not ["-N", ['t', 'o', '_', ..]])
                    result.ThrowIfFailed();
            }
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
        RemoveWith("iptables", name);
        RemoveWith("ip6tables", name);
    }

    public IReadOnlyList<string> Names() =>
    [
        .. Lines("iptables").Concat(Lines("ip6tables"))
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
            install.AddRange(Commands(rules, tool, owner: null).Select(c => $"{tool} -t raw {string.Join(' ', c)}"));
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

    private static IEnumerable<string[]> Commands(FirewallRules rules, string tool, FirewallOwner? owner)
    {
        string input = rules.Name + "_i";
        string output = rules.Name + "_o";
        yield return ["-N", input];
        yield return ["-N", output];
        foreach (string? address in Addresses(rules, tool))
        {
            string[] incoming = ["-p", "tcp", .. Match("-d", address), "--dport", rules.LocalPorts(':'), .. Remote("--sport", rules)];
            string[] outgoing = ["-p", "tcp", .. Match("-s", address), "--sport", rules.LocalPorts(':'), .. Remote("--dport", rules)];
            yield return ["-A", input, .. incoming, "-j", "CT", "--notrack"];
            yield return ["-A", output, .. outgoing, "--tcp-flags", "RST", "RST", "-j", "DROP"];
            yield return ["-A", output, .. outgoing, "-j", "CT", "--notrack"];
        }

        if (owner is not null)
        {
            yield return ["-N", OwnerPrefix + owner];
            yield return ["-A", output, "-j", OwnerPrefix + owner];
        }

        yield return ["-I", "PREROUTING", "-j", input];
        yield return ["-I", "OUTPUT", "-j", output];
    }

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

    private static string[] Match(string option, string? value) => value is null ? [] : [option, value];

    private static string[] Remote(string option, FirewallRules rules) => rules.HasRemotePort ? [option, rules.RemotePorts(':')] : [];

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
