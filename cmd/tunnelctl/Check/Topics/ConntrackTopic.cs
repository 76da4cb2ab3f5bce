using Tunnel.App.Config;
using Tunnel.Ctl.Check.Knobs;
using Tunnel.Links.Host;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>The firewall's table of connections.</summary>
internal sealed class ConntrackTopic : PromptTopic
{
    private const string Use = "conntrack.use";
    private const string Port = "conntrack.port";
    private const string WhyUse = "when the table is full, packets of new connections are dropped";
    private const string WhyPort = "the kernel cannot follow the tunnel's segments and would call them invalid";

    public override string Topic => "conntrack";

    public override string Title => "Connection tracking";

    public override IReadOnlyList<string> Names => [SysctlKnobs.ConntrackMax.Name, Use, Port];

    protected override IEnumerable<Finding> Look(CheckContext context)
    {
        if (!context.Files.Exists("/proc/sys/net/netfilter/nf_conntrack_count"))
        {
            const string none = "connections are not tracked here";
            return
            [
                Finding.Good(SysctlKnobs.ConntrackMax.Name, none, "", SysctlKnobs.ConntrackMax.Why),
                Finding.Good(Use, none, "", WhyUse),
                Finding.Good(Port, none, "", WhyPort),
            ];
        }

        return [LookAtMost(context), LookAtUse(context), LookAtPort(context)];
    }

    /// <summary>The limit is the host's: a namespace sees it and cannot set it.</summary>
    private static Finding LookAtMost(CheckContext context) => SysctlKnobs.ConntrackMax.Look(context);

    private static Finding LookAtUse(CheckContext context)
    {
        if (!context.Files.Read("/proc/sys/net/netfilter/nf_conntrack_count").TryNumber(out long count, out string problem)
            || !context.Files.Read("/proc/sys/net/netfilter/nf_conntrack_max").TryNumber(out long most, out problem))
        {
            return Finding.Unknown(Use, problem, WhyUse);
        }

        string command = $"sysctl -w net.netfilter.nf_conntrack_max={Math.Max(most * 2, 65536)}";
        var finding = new Finding(Use, FindingVerdict.Good, $"{count} of {most}", "under three quarters", WhyUse);
        return most <= 0 || count * 4 < most * 3 ? finding
            : finding with { Verdict = count * 20 >= most * 19 ? FindingVerdict.Broken : FindingVerdict.Advice, Command = command };
    }

    private static Finding LookAtPort(CheckContext context)
    {
        if (context.File?.Network?.Link == LinkKind.Udp)
            return Finding.Good(Port, "the link is udp: tracked like any other traffic", "", WhyPort);
        IReadOnlyList<FirewallSurvey> tools = context.Calls.ReadFirewalls();
        if (tools.All(t => t.Problem is not null))
            return Finding.Unknown(Port, string.Join("; ", tools.Select(t => $"{t.Tool}: {t.Problem}")), WhyPort);
        InstalledRules[] rules = [.. tools.SelectMany(t => t.Rules)];
        if (rules.Length == 0)
            return Finding.Unknown(Port, "no tunnel's rules are installed: they come and go with the process", WhyPort);
        int[] tracked = [.. rules.Where(r => !r.ExemptsFromTracking).Select(r => r.Port)];
        string now = tracked.Length == 0
            ? $"excluded: {string.Join(", ", rules.Select(r => r.Port))}"
            : $"tracked: {string.Join(", ", tracked)}";
        return Finding.Of(Port, tracked.Length == 0, now, "excluded (notrack)", WhyPort, "nft list ruleset");
    }
}
