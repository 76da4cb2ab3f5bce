namespace Tunnel.Tests.Check;

/// <summary>The kernel's files of a host that has nothing tuned, in the kernel's own spelling: tabs, line ends and all.</summary>
internal static class FixtureFiles
{
    public const string Interrupts = """
                   CPU0       CPU1
          1:         10          0   IO-APIC   1-edge      i8042
         38:        100       4622   PCI-MSIX-0000:00:03.0   1-edge      eth7-input.0
         39:       3599          5   PCI-MSIX-0000:00:03.0   2-edge      eth7-output.0
         40:          0          0   PCI-MSIX-0000:00:03.0   0-edge      eth7-config
        NMI:          0          0   Non-maskable interrupts
        ERR:          0

        """;

    public const string Softnet = """
        000186a0 00000000 00000003 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
        000186a0 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001 00000000 00000000

        """;

    public const string Netstat = """
        TcpExt: SyncookiesSent ListenOverflows ListenDrops
        TcpExt: 0 0 0
        IpExt: InNoRoutes InOctets
        IpExt: 0 12345

        """;

    private const string Limits = """
        Limit                     Soft Limit           Hard Limit           Units
        Max processes             15000                15000                processes
        Max open files            1024                 524288               files

        """;

    private static readonly (string Name, string Value)[] Sysctls =
    [
        ("net/core/somaxconn", "4096"), ("net/ipv4/tcp_max_syn_backlog", "1024"),
        ("net/core/rmem_max", "212992"), ("net/core/wmem_max", "212992"), ("net/core/rmem_default", "212992"), ("net/core/wmem_default", "212992"),
        ("net/ipv4/tcp_rmem", "4096\t131072\t6291456"), ("net/ipv4/tcp_wmem", "4096\t16384\t4194304"), ("net/ipv4/tcp_mem", "46000\t61000\t92000"),
        ("net/core/netdev_max_backlog", "1000"), ("net/core/netdev_budget", "300"), ("net/core/netdev_budget_usecs", "2000"),
        ("net/core/busy_poll", "0"), ("net/core/busy_read", "0"),
        ("net/ipv4/ip_local_port_range", "32768\t60999"), ("net/ipv4/tcp_tw_reuse", "2"), ("net/ipv4/tcp_fin_timeout", "60"),
        ("net/ipv4/ip_local_reserved_ports", ""), ("net/ipv4/tcp_congestion_control", "cubic"),
        ("net/ipv4/tcp_available_congestion_control", "reno cubic"), ("net/core/default_qdisc", "fq_codel"),
        ("net/netfilter/nf_conntrack_max", "65536"), ("net/netfilter/nf_conntrack_count", "17"),
        ("fs/file-max", "9223372036854775807"), ("fs/nr_open", "1048576"), ("net/core/rps_sock_flow_entries", "0"),
        ("net/core/netdev_rss_key", "00:11:22"), ("kernel/hostname", "fixture"), ("kernel/osrelease", "6.1.0-test"),
        ("kernel/random/boot_id", "11111111-2222-3333-4444-555555555555"),
    ];

    public static void Write(FixtureHost host)
    {
        foreach ((string name, string value) in Sysctls)
            host.Write(FixtureHost.Kernel + name, value + "\n");
        host.Write("/proc/interrupts", Interrupts).Write("/proc/net/softnet_stat", Softnet).Write("/proc/net/netstat", Netstat)
            .Write("/proc/self/limits", Limits).Write("/proc/self/status", "Name:\ttunnelctl\nCapEff:\t000001ffffffffff\n")
            .Write("/proc/stat", "cpu  1000 0 500 8000 10 0 20 5 0 0\n").Write("/proc/loadavg", "0.12 0.30 0.20 1/100 4242\n")
            .Write("/proc/meminfo", "MemTotal:        4194304 kB\n").Write("/sys/devices/system/cpu/online", "0-1\n");
        WriteCard(host, $"/sys/class/net/{FixtureHost.Interface}");
    }

    private static void WriteCard(FixtureHost host, string card)
    {
        host.Write($"{card}/speed", "10000\n").Write($"{card}/mtu", "1500\n");
        host.Write($"{card}/queues/rx-0/rps_cpus", "00000000,00000000\n").Write($"{card}/queues/rx-0/rps_flow_cnt", "0\n");
        foreach (string name in new[] { "rx_dropped", "tx_dropped", "rx_errors", "rx_bytes" })
            host.Write($"{card}/statistics/{name}", "0\n");
        host.Write("/proc/irq/38/smp_affinity_list", "0-1\n").Write("/proc/irq/39/smp_affinity_list", "0\n");
        host.Write("/proc/irq/38/effective_affinity_list", "1\n").Write("/proc/irq/39/effective_affinity_list", "0\n");
    }
}
