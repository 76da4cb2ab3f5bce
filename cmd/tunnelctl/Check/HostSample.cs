using Tunnel.Ctl.Check.Proc;
using Tunnel.Links.Host.Ethtool;

namespace Tunnel.Ctl.Check;

/// <summary>The host's counters at one moment. Two of them, a second apart, tell what happens now from what happened once.</summary>
internal sealed record HostSample
{
    public required IReadOnlyList<InterruptLine> Interrupts { get; init; }

    public required IReadOnlyList<SoftnetStat> Softnet { get; init; }

    public required CpuTimes? Cpu { get; init; }

    /// <summary>Of /proc/net/netstat, such as TcpExt.ListenDrops, and what /proc/net/snmp counts of UDP.</summary>
    public required IReadOnlyDictionary<string, long> Network { get; init; }

    /// <summary>Of the interface, as sysfs has them: rx_dropped and its like.</summary>
    public required IReadOnlyDictionary<string, long> Link { get; init; }

    /// <summary>Of the interface's driver; none where it has none.</summary>
    public required IReadOnlyList<NicStatistic> Driver { get; init; }

    public static HostSample Empty { get; } = new()
    {
        Interrupts = [],
        Softnet = [],
        Cpu = null,
        Network = new Dictionary<string, long>(),
        Link = new Dictionary<string, long>(),
        Driver = [],
    };

    public static HostSample Read(KernelFiles files, IHostCalls calls, string? interfaceName) => new()
    {
        Interrupts = ProcInterrupts.Parse(files.Read("/proc/interrupts").Text ?? ""),
        Softnet = SoftnetStat.Parse(files.Read("/proc/net/softnet_stat").Text ?? ""),
        Cpu = CpuTimes.Parse(files.Read("/proc/stat").Text ?? ""),
        Network = ReadNetwork(files),
        Link = interfaceName is null ? new Dictionary<string, long>() : ReadLink(files, interfaceName),
        Driver = interfaceName is null ? [] : calls.Nic(interfaceName).Statistics().Value ?? [],
    };

    /// <summary>Of snmp nothing more: much of it, such as the connections that there are, is no count of what happened.</summary>
    private static Dictionary<string, long> ReadNetwork(KernelFiles files)
    {
        var counters = new Dictionary<string, long>(NamedCounters.Parse(files.Read("/proc/net/netstat").Text ?? ""));
        foreach ((string name, long value) in NamedCounters.Parse(files.Read("/proc/net/snmp").Text ?? ""))
        {
            if (name.StartsWith("Udp.", StringComparison.Ordinal))
                counters[name] = value;
        }

        return counters;
    }

    private static Dictionary<string, long> ReadLink(KernelFiles files, string interfaceName)
    {
        string folder = $"/sys/class/net/{interfaceName}/statistics";
        var counters = new Dictionary<string, long>();
        foreach (string name in files.List(folder))
        {
            if (files.Read($"{folder}/{name}").TryNumber(out long value, out _))
                counters[name] = value;
        }

        return counters;
    }
}
