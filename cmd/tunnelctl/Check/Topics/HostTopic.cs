using System.Globalization;
using Tunnel.App.Config;
using Tunnel.Links;
using Tunnel.Links.Host;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>What the tunnel needs of a host to work at all.</summary>
internal sealed class HostTopic : PromptTopic
{
    private const string WhyPrivilege = "capturing and injecting (CAP_NET_RAW), the firewall rules (CAP_NET_ADMIN)";
    private const string WhyKernel = "drivers and offloads come with the kernel; UDP_GRO, by which the udp link merges, with 5.0";
    private const string WhyLibpcap = "the pcap link captures and injects with it";
    private const string WhyInterface = "by which the tunnel's packets leave";
    private const string WhyAddress = "the source address of what is sent";
    private const string WhyGateway = "raw frames need the next hop's MAC";
    private const string WhyMtu = "an mtu of the file must fit in it, with headers";
    private const string WhyFirewall = "the kernel must not answer the peer's segments with RST";
    private const string WhyRules = "installed by the process at start, removed at its end";
    private const string WhyClock = "the guard refuses datagrams of an end whose clock is too far off";

    public override string Topic => "host";

    public override string Title => "Host";

    public override IReadOnlyList<string> Names =>
    [
        "host.privilege", "host.kernel", "host.libpcap", "host.interface", "host.address", "host.gateway", "host.mtu", "host.firewall",
        "host.firewall_rules", "host.clock",
    ];

    protected override IEnumerable<Finding> Look(CheckContext context) =>
    [
        LookAtPrivilege(context), LookAtKernel(context), LookAtLibpcap(context), LookAtInterface(context), LookAtAddress(context), LookAtGateway(context),
        LookAtMtu(context), LookAtFirewall(context), LookAtRules(context), LookAtClock(context),
    ];

    private static bool IsRaw(CheckContext context) => context.File?.Network?.Link != LinkKind.Udp;

    private static Finding LookAtPrivilege(CheckContext context)
    {
        const string name = "host.privilege";
        if (!IsRaw(context))
            return Finding.Good(name, "the udp link needs none", "", WhyPrivilege);
        Reading status = context.Files.Read("/proc/self/status");
        if (status.Text is null || !status.Text.Contains("CapEff:", StringComparison.Ordinal))
            return Finding.Unknown(name, status.Problem ?? "/proc/self/status does not tell", WhyPrivilege);
        Privilege privilege = Privilege.Parse(status.Text);
        string now = $"CAP_NET_RAW {(privilege.HasNetRaw ? "yes" : "no")}, CAP_NET_ADMIN {(privilege.HasNetAdmin ? "yes" : "no")} (of this shell)";
        const string command = "setcap cap_net_raw,cap_net_admin+ep /usr/local/bin/tunnel-server /usr/local/bin/tunnel-client";
        // Which user the tunnel will run as is not known here: a service has capabilities of its own.
        return Finding.Of(name, privilege is { HasNetRaw: true, HasNetAdmin: true }, now, "both, or as a service, or link = \"udp\"", WhyPrivilege, command);
    }

    private static Finding LookAtKernel(CheckContext context)
    {
        const string name = "host.kernel";
        Reading release = context.Files.Read("/proc/sys/kernel/osrelease");
        string text = release.Text?.Trim() ?? "";
        return int.TryParse(text.Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out int major)
            ? Finding.Of(name, major >= 5, text, "5.0 or newer", WhyKernel)
            : Finding.Unknown(name, release.Problem ?? $"\"{text}\" is no version", WhyKernel);
    }

    private static Finding LookAtLibpcap(CheckContext context)
    {
        const string name = "host.libpcap";
        string now = context.Calls.LibpcapVersion ?? "not installed";
        bool there = context.Calls.LibpcapVersion is not null;
        return context.File?.Network?.Link switch
        {
            LinkKind.Udp or LinkKind.AfPacket => Finding.Good(name, now, "not needed by this link", WhyLibpcap),
            LinkKind.Pcap => Finding.Must(name, there, now, "installed", WhyLibpcap, "apt-get install libpcap0.8"),
            _ => Finding.Good(name, now, "needed only where packet sockets do not work", WhyLibpcap),
        };
    }

    private static Finding LookAtInterface(CheckContext context)
    {
        const string name = "host.interface";
        if (context.Interface is null)
            return Missing(context, name, WhyInterface);
        try
        {
            InterfaceInfo? found = context.Calls.Interfaces().FirstOrDefault(i => i.Name == context.Interface);
            if (found is null)
                return Finding.Must(name, false, $"there is no {context.Interface}", "there", WhyInterface, "ip -br link");
            bool usable = found.IsUp && (found.IsEthernet || found.IsLoopback || !IsRaw(context));
            string now = $"{found.Name}, {(found.IsUp ? "up" : "down")}, {(found.IsLoopback ? "loopback" : found.IsEthernet ? "Ethernet" : "not Ethernet")}";
            return Finding.Must(name, usable, now, "up, Ethernet", WhyInterface, $"ip link set {found.Name} up");
        }
        catch (LinkException e)
        {
            return Finding.Unknown(name, e.Message, WhyInterface);
        }
    }

    /// <summary>A raw link cannot do without a way; without a file nobody has asked for one.</summary>
    private static Finding Missing(CheckContext context, string name, string why) => context.File?.Network is not null && IsRaw(context)
        ? Finding.Must(name, false, context.NoInterface, "found", why, "ip route")
        : Finding.Unknown(name, context.NoInterface, why);

    private static Finding LookAtAddress(CheckContext context) => context.Route is { } route
        ? Finding.Good("host.address", route.LocalAddress.ToString(), "", WhyAddress)
        : Missing(context, "host.address", WhyAddress);

    private static Finding LookAtGateway(CheckContext context)
    {
        const string name = "host.gateway";
        if (context.Route is not { } route)
            return Missing(context, name, WhyGateway);
        if (route.IsLoopback || !IsRaw(context))
            return Finding.Good(name, route.IsLoopback ? "loopback: none" : "the kernel's business with the udp link", "", WhyGateway);
        if (route.NextHop is null)
            return Finding.Good(name, "no default route: clients on the link only", "", WhyGateway);
        string mac = route.NextHopMac is null ? "does not say its MAC" : string.Join(':', route.NextHopMac.GetAddressBytes().Select(b => $"{b:x2}"));
        return Finding.Of(name, route.NextHopMac is not null, $"{route.NextHop}, {mac}", "answers", WhyGateway, $"ping -c 1 {route.NextHop}; ip neigh");
    }

    private static Finding LookAtMtu(CheckContext context) => context.Route is { } route
        ? Finding.Of("host.mtu", route.Mtu >= 1280, $"{route.Mtu} bytes", "1280 or more", WhyMtu, $"ip link set {route.Interface} mtu 1500")
        : Missing(context, "host.mtu", WhyMtu);

    private static Finding LookAtFirewall(CheckContext context)
    {
        const string name = "host.firewall";
        if (!IsRaw(context))
            return Finding.Good(name, "the udp link needs no rules", "", WhyFirewall);
        if (context.File?.Network?.Firewall == false)
            return Finding.Unknown(name, "network.firewall = false: the rules are somebody else's business", WhyFirewall);
        IReadOnlyList<FirewallSurvey> tools = context.Calls.ReadFirewalls();
        FirewallSurvey? working = tools.FirstOrDefault(t => t.Problem is null);
        string now = working is not null ? $"{working.Tool} works" : string.Join("; ", tools.Select(t => $"{t.Tool}: {t.Problem}"));
        bool noPermission = working is null && tools.Any(t => t.Problem is { } p && p != "not installed");
        return noPermission && !context.Calls.IsRoot
            ? Finding.Unknown(name, now, WhyFirewall)
            : Finding.Of(name, working is not null, now, "nft or iptables", WhyFirewall, "apt-get install nftables");
    }

    private static Finding LookAtRules(CheckContext context)
    {
        const string name = "host.firewall_rules";
        if (!IsRaw(context))
            return Finding.Good(name, "the udp link needs none", "", WhyRules);
        IReadOnlyList<FirewallSurvey> tools = context.Calls.ReadFirewalls();
        if (tools.All(t => t.Problem is not null))
            return Finding.Unknown(name, string.Join("; ", tools.Select(t => $"{t.Tool}: {t.Problem}")), WhyRules);
        InstalledRules[] rules = [.. tools.SelectMany(t => t.Rules)];
        if (context.File?.Server is { } server && rules.All(r => r.Port != server.Port))
            return LookForProcess(context, name, $"none for port {server.Port}");
        if (rules.Length == 0)
            return LookForProcess(context, name, "none");
        string now = string.Join(", ", rules.Select(r => $"port {r.Port} ({(r.IsOwned ? $"process {r.Owner}" : r.Owner is null ? "by hand" : "left by a dead process")})"));
        bool met = rules.All(r => r.DropsResets && (r.IsOwned || r.Owner is null));
        return Finding.Of(name, met, now, "of living processes, dropping RST", WhyRules, "nft list ruleset");
    }

    /// <summary>
    /// No rules are right while the tunnel does not run, and wrong while a server does. A client has its rules only while it has a
    /// connection or tries for one: between two tries there are none, and nothing is wrong with that.
    /// </summary>
    private static Finding LookForProcess(CheckContext context, string name, string now)
    {
        if (context.File is not { } file)
            return Finding.Unknown(name, $"{now}; which end should have some is not known without --config", WhyRules);
        if (RunningWith(context, Path.GetFullPath(file.Path)) is not { } process)
            return Finding.Good(name, $"{now}; no process of this network namespace runs with this file", "", WhyRules);
        return file.Client is null
            ? Finding.Must(name, false, $"{now}, and process {process} runs with this file", "its rules", WhyRules, "nft list ruleset")
            : Finding.Unknown(name, $"{now} just now: process {process} has some while it is connected, and while it tries to be", WhyRules);
    }

    /// <summary>The process that was given that file; another tunnel's may need no rules.</summary>
    private static string? RunningWith(CheckContext context, string file)
    {
        foreach (string id in TunnelProcesses.Of(context))
        {
            string folder = context.Files.LinkTarget($"/proc/{id}/cwd") ?? "/";
            string[] arguments = context.Files.Read($"/proc/{id}/cmdline").Text?.Split('\0', StringSplitOptions.RemoveEmptyEntries) ?? [];
            if (arguments.Skip(1).Any(a => Path.GetFullPath(a, folder) == file))
                return id;
        }

        return null;
    }

    private static Finding LookAtClock(CheckContext context)
    {
        const string name = "host.clock";
        GuardConfig? guard = context.File?.Transport?.Kcp.Guard;
        if (context.File?.Transport is not null && guard is null)
            return Finding.Good(name, "the guard is off", "", WhyClock);
        (KernelClock? clock, string? problem) = context.Calls.ReadClock();
        if (clock is null)
            return Finding.Unknown(name, problem ?? "the kernel does not tell", WhyClock);
        TimeSpan tolerance = (guard?.Window ?? TimeSpan.FromSeconds(30)) * Math.Max(1, guard?.Skew ?? 1);
        string now = clock.IsSynchronised
            ? string.Create(CultureInfo.InvariantCulture, $"synchronised, off by at most {clock.MaximumError.TotalMilliseconds:0} ms")
            : "nobody disciplines it (adjtimex says unsynchronised)";
        bool isMet = clock.IsSynchronised && clock.MaximumError < tolerance;
        return Finding.Of(name, isMet, now, $"synchronised, within {tolerance.TotalSeconds:0} s", WhyClock, "timedatectl set-ntp true");
    }
}
