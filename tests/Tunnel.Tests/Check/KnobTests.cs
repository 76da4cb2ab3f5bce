using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Knobs;
using Tunnel.Ctl.Check.Setting;
using Tunnel.Links.Host.Ethtool;

namespace Tunnel.Tests.Check;

public sealed class KnobTests : IDisposable
{
    private const string Queues = $"/sys/class/net/{FixtureHost.Interface}/queues";

    private readonly FixtureHost _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void EverySysctlIsJudgedForEveryProfile()
    {
        foreach (TuningProfile profile in Enum.GetValues<TuningProfile>())
        {
            foreach (SysctlKnob knob in SysctlKnobs.All)
            {
                Finding finding = knob.Look(_host.Context(profile));
                Assert.True(finding.Verdict is FindingVerdict.Good or FindingVerdict.Advice, $"{profile} {finding}");
                Assert.Equal(finding.Verdict == FindingVerdict.Advice, finding.Command is not null);
            }
        }
    }

    /// <summary>As far as the form tells, which is before anything is measured or set.</summary>
    [Theory]
    [InlineData("somaxconn", "4096", null)]
    [InlineData("somaxconn", "many", "net.core.somaxconn: \"many\" is not a whole number")]
    [InlineData("somaxconn", "4096 8192", "net.core.somaxconn: \"4096 8192\" is not a whole number")]
    [InlineData("somaxconn", "64k", "net.core.somaxconn: \"64k\" is not a whole number")]
    [InlineData("somaxconn", "99999999999999999999", "net.core.somaxconn: \"99999999999999999999\" is not a whole number")]
    [InlineData("tcp_rmem", "4096 131072 6291456", null)]
    [InlineData("tcp_rmem", "6291456", "net.ipv4.tcp_rmem: \"6291456\" is not 3 whole numbers")]
    [InlineData("tcp_congestion_control", "bbr", null)]
    public void WhatCanBeNoValueIsSeen(string knob, string value, string? says)
    {
        Knob found = KnobCatalog.Find(knob)!;
        Assert.Equal(says, found.Objection(found.Read(_host.Context()), value));
    }

    /// <summary>tcp_mem is in pages and of this machine's memory: a quarter of 4 GiB at most.</summary>
    [Fact]
    public void TcpMemoryIsCountedInPages()
    {
        Finding finding = KnobCatalog.Find("net.ipv4.tcp_mem")!.Look(_host.Context());
        long pages = (4L << 30) / Environment.SystemPageSize;
        Assert.Equal($"sysctl -w net.ipv4.tcp_mem=\"{pages / 8} {pages / 6} {pages / 4}\"", finding.Command);
        Assert.Contains("pages", finding.Is);
        Assert.Contains("1 GiB", finding.Should);
        _host.Remove("/proc/meminfo");
        Assert.Equal(FindingVerdict.Good, KnobCatalog.Find("net.ipv4.tcp_mem")!.Look(_host.Context()).Verdict);
    }

    [Theory]
    [InlineData("somaxconn", "net.core.somaxconn")]
    [InlineData("net.core.somaxconn", "net.core.somaxconn")]
    [InlineData("rings", "nic.rings")]
    [InlineData("core.somaxconn", "net.core.somaxconn")]
    [InlineData("", null)]
    [InlineData("nothing", null)]
    public void Names(string name, string? found) => Assert.Equal(found, KnobCatalog.Find(name)?.Name);

    [Fact]
    public void RingsAtTheirMost()
    {
        Finding finding = KnobCatalog.Rings.Look(_host.Context());
        Assert.Equal(("rx 512 tx 512", "rx 4096 tx 4096"), (finding.Is, finding.Should));
        Assert.Equal($"ethtool -G {FixtureHost.Interface} rx 4096 tx 4096", finding.Command);
        Assert.Null(KnobCatalog.Rings.Write(_host.Context(), "rx 4096 tx 4096"));
        Assert.Equal(FindingVerdict.Good, KnobCatalog.Rings.Look(_host.Context()).Verdict);
    }

    [Fact]
    public void ACardWithoutRingsIsUnknown()
    {
        _host.Card.RingAnswer = new(null, "Operation not supported (errno 95)");
        Finding finding = KnobCatalog.Rings.Look(_host.Context());
        Assert.Equal((FindingVerdict.Unknown, $"{FixtureHost.Interface}: Operation not supported (errno 95)"), (finding.Verdict, finding.Is));
        Assert.Equal(FindingVerdict.Unknown, KnobCatalog.Rings.Look(_host.Context(interfaceName: null)).Verdict);
    }

    [Theory]
    [InlineData("Throughput", false, 3, false)]
    [InlineData("Throughput", false, 200, true)]
    [InlineData("Throughput", true, 3, true)]
    [InlineData("Latency", false, 3, true)]
    [InlineData("Latency", false, 200, false)]
    [InlineData("Latency", true, 3, false)]
    [InlineData("Small", true, 999, true)]
    public void Coalescing(string profile, bool adaptive, uint usecs, bool met)
    {
        _host.Card.CoalescingAnswer = new(new NicCoalescing(adaptive, usecs, 0), null);
        CheckContext context = _host.Context(Enum.Parse<TuningProfile>(profile));
        Judgement judged = KnobCatalog.Coalescing.Judge(context, KnobCatalog.Coalescing.Read(context));
        Assert.Equal(met, judged.IsMet);
        Assert.Null(KnobCatalog.Coalescing.Write(context, judged.Set));
        Assert.True(KnobCatalog.Coalescing.Judge(context, KnobCatalog.Coalescing.Read(context)).IsMet);
    }

    /// <summary>An e1000e has rx-usecs alone, a tap rx-frames alone; what it has not is neither named nor set.</summary>
    [Theory]
    [InlineData("Throughput", 3, null, false, "rx-usecs 128")]
    [InlineData("Latency", 20, null, false, "rx-usecs 10")]
    [InlineData("Throughput", null, 16, true, "rx-frames 16")]
    [InlineData("Latency", null, 16, true, "rx-frames 16")]
    public void CoalescingOfACardThatHasLess(string profile, int? usecs, int? frames, bool met, string set)
    {
        _host.Card.CoalescingAnswer = new(new NicCoalescing(null, (uint?)usecs, (uint?)frames), null);
        CheckContext context = _host.Context(Enum.Parse<TuningProfile>(profile));
        string before = KnobCatalog.Coalescing.Read(context).Text!;
        Judgement judged = KnobCatalog.Coalescing.Judge(context, KnobCatalog.Coalescing.Read(context));
        Assert.Equal((met, set), (judged.IsMet, judged.Set));
        Assert.Equal($"ethtool -C {FixtureHost.Interface} {set}", KnobCatalog.Coalescing.Command(context, judged.Set));
        Assert.Null(KnobCatalog.Coalescing.Write(context, judged.Set));
        Assert.Equal(set, KnobCatalog.Coalescing.Read(context).Text);
        Assert.Null(KnobCatalog.Coalescing.Write(context, before));
        Assert.Equal(before, KnobCatalog.Coalescing.Read(context).Text);
    }

    /// <summary>What a guest may not set is no advice, at no profile; a card that may is judged as any.</summary>
    [Theory]
    [InlineData("Throughput", "virtio_net", '0', true)]
    [InlineData("Latency", "virtio_net", '0', true)]
    [InlineData("Throughput", "virtio_net", '1', false)]
    [InlineData("Throughput", "another", '0', false)]
    public void CoalescingOfAGuest(string profile, string driver, char offered, bool met)
    {
        _host.Card.DriverAnswer = new(new NicDriver(driver, "1", "0000:00:03.0"), null);
        _host.Card.CoalescingAnswer = new(new NicCoalescing(null, 20, 1), null);
        _host.Write($"/sys/class/net/{FixtureHost.Interface}/device/features", new string('1', 53) + offered + new string('0', 74) + "\n");
        CheckContext context = _host.Context(Enum.Parse<TuningProfile>(profile));
        Finding finding = KnobCatalog.Coalescing.Look(context);
        Assert.Equal(met, finding.Verdict == FindingVerdict.Good);
        Assert.Equal(met, finding.Should.Contains("virtio without NOTF_COAL", StringComparison.Ordinal));
        Assert.Equal(met, new Tuning(context).Plan("nic.coalescing").Count == 0);
    }

    [Theory]
    [InlineData("rx-usecs")]
    [InlineData("rx-usecs many")]
    [InlineData("adaptive-rx 1")]
    [InlineData("tx-usecs 3")]
    [InlineData("")]
    public void WhatIsNoCoalescing(string text) => Assert.Contains("is no coalescing", KnobCatalog.Coalescing.Write(_host.Context(), text));

    [Fact]
    public void PacketsOfOneQueueGoToAllProcessors()
    {
        Finding finding = KnobCatalog.Rps.Look(_host.Context());
        Assert.Equal("rx-0=3", finding.Should);
        Assert.Equal($"echo 3 > {Queues}/rx-0/rps_cpus", finding.Command);
    }

    /// <summary>What was allowed before stays allowed.</summary>
    [Fact]
    public void ProcessorsAreOnlyAdded()
    {
        _host.Write($"{Queues}/rx-0/rps_cpus", "00000000,00000100\n");
        Assert.Equal("rx-0=103", KnobCatalog.Rps.Look(_host.Context()).Should);
    }

    [Fact]
    public void AQueueForEachProcessorNeedsNoSteering()
    {
        _host.Write($"{Queues}/rx-1/rps_cpus", "0\n");
        Assert.Equal(FindingVerdict.Good, KnobCatalog.Rps.Look(_host.Context()).Verdict);
    }

    /// <summary>Loopback and veth have one queue and no interrupt: the sender's processor does the receiving, which is another for each sender.</summary>
    [Theory]
    [InlineData("../../devices/virtual/net/lo", "Good")]
    [InlineData("../../devices/virtual/net/veth0", "Good")]
    [InlineData("../../devices/pci0000:00/0000:00:03.0/virtio0/net/eth1", "Advice")]
    public void WithoutAnInterruptNothingIsSteered(string device, string verdict)
    {
        string name = Path.GetFileName(device);
        string folder = Path.GetFullPath(device, "/sys/class/net");
        _host.Write($"{folder}/queues/rx-0/rps_cpus", "0\n").Write($"{folder}/queues/rx-0/rps_flow_cnt", "0\n").Link($"/sys/class/net/{name}", device);
        Finding rps = KnobCatalog.Rps.Look(_host.Context(interfaceName: name)), rfs = KnobCatalog.Rfs.Look(_host.Context(interfaceName: name));
        Assert.Equal((verdict, verdict), ($"{rps.Verdict}", $"{rfs.Verdict}"));
        Assert.Equal(verdict == "Good", rps.Should.StartsWith("not needed: no card"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a mask")]
    public void ABrokenMaskIsUnknown(string mask)
    {
        _host.Write($"{Queues}/rx-0/rps_cpus", mask);
        Assert.Equal(FindingVerdict.Unknown, KnobCatalog.Rps.Look(_host.Context()).Verdict);
        Assert.Equal(FindingVerdict.Unknown, KnobCatalog.Rps.Look(_host.Context(interfaceName: "none")).Verdict);
    }

    /// <summary>The table that there should be, divided among the queues, though it is not there yet.</summary>
    [Fact]
    public void FlowsOfEachQueue()
    {
        _host.Write($"{Queues}/rx-1/rps_flow_cnt", "50000\n");
        Assert.Equal("rx-0=16384 rx-1=50000", KnobCatalog.Rfs.Look(_host.Context()).Should);
        Assert.Equal(FindingVerdict.Good, KnobCatalog.Rfs.Look(_host.Context(TuningProfile.Latency)).Verdict);
        _host.Remove("/proc/sys/net/core/rps_sock_flow_entries");
        Assert.Equal(FindingVerdict.Unknown, KnobCatalog.Rfs.Look(_host.Context()).Verdict);
    }

    [Theory]
    [InlineData("Throughput", "", "1024\t65535", false, "9999")]
    [InlineData("Throughput", "80,443", "1024\t65535", false, "80,443,9999")]
    [InlineData("Throughput", "9000-10000", "1024\t65535", true, "9000-10000")]
    [InlineData("Throughput", "", "32768\t60999", false, "9999")] // --apply widens the range at one go with this
    [InlineData("Small", "", "32768\t60999", true, "")]
    [InlineData("Small", "", "1024\t65535", false, "9999")]
    public async Task TheServersPortIsReserved(string profile, string reserved, string range, bool met, string set)
    {
        _host.Write("/proc/sys/net/ipv4/ip_local_reserved_ports", reserved + "\n").Write("/proc/sys/net/ipv4/ip_local_port_range", range + "\n");
        string file = ConfigFiles.Server(_host);
        CheckReport report = await _host.CheckAsync(Enum.Parse<TuningProfile>(profile), file);
        Judgement judged = KnobCatalog.ReservedPorts.Judge(report.Context, KnobCatalog.ReservedPorts.Read(report.Context));
        Assert.Equal((met, set), (judged.IsMet, judged.Set));
    }

    [Theory]
    [InlineData("", "1024\t65535", false, "9999-10006")]
    [InlineData("9999-10002", "1024\t65535", false, "9999-10002,9999-10006")]
    [InlineData("9999-10006", "1024\t65535", true, "9999-10006")]
    [InlineData("", "10006\t65535", false, "9999-10006")]
    public async Task AllOfAServersPortsAreReserved(string reserved, string range, bool met, string set)
    {
        _host.Write("/proc/sys/net/ipv4/ip_local_reserved_ports", reserved + "\n").Write("/proc/sys/net/ipv4/ip_local_port_range", range + "\n");
        string file = ConfigFiles.Server(_host, ports: 8);
        CheckReport report = await _host.CheckAsync(TuningProfile.Small, file);
        Judgement judged = KnobCatalog.ReservedPorts.Judge(report.Context, KnobCatalog.ReservedPorts.Read(report.Context));
        Assert.Equal((met, set), (judged.IsMet, judged.Set));
    }

    [Fact]
    public void AListOfPortsThatIsNone()
    {
        _host.Write("/proc/sys/net/ipv4/ip_local_reserved_ports", "many\n");
        Assert.Equal(FindingVerdict.Unknown, KnobCatalog.ReservedPorts.Look(_host.Context()).Verdict);
    }

    /// <summary>What the congestion control needs first is part of the command.</summary>
    [Fact]
    public async Task AModuleThatIsNotLoaded()
    {
        Finding finding = await _host.FindAsync("net.ipv4.tcp_congestion_control");
        Assert.Equal("modprobe tcp_bbr && sysctl -w net.ipv4.tcp_congestion_control=bbr", finding.Command);
        Assert.Contains("loaded: reno cubic", finding.Is);
    }
}
