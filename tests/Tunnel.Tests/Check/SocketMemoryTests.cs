using Tunnel.Ctl.Check;

namespace Tunnel.Tests.Check;

/// <summary>What TCP's sockets hold together, and datagrams that found no room.</summary>
public sealed class SocketMemoryTests : IDisposable
{
    private const string Pressures = "TcpExt: ListenOverflows TCPMemoryPressures\nTcpExt: 0 {0}\n";
    private const string Datagrams = "Tcp: MaxConn CurrEstab\nTcp: -1 3\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\nUdp: {0} 0 0 0 {1} 0\n";

    private readonly FixtureHost _host = new();

    public void Dispose() => _host.Dispose();

    /// <summary>Under pressure from 61000 pages on.</summary>
    [Theory]
    [InlineData(700, "Good")]
    [InlineData(60_999, "Good")]
    [InlineData(61_000, "Advice")]
    public async Task TcpIsBelowItsPressure(long pages, string verdict)
    {
        _host.Write("/proc/net/sockstat", $"sockets: used 9\nTCP: inuse 5 orphan 0 tw 0 alloc 7 mem {pages}\nUDP: inuse 1 mem 2\n");
        Finding finding = await _host.FindAsync("tcp.memory");
        Assert.Equal(Enum.Parse<FindingVerdict>(verdict), finding.Verdict);
        Assert.StartsWith($"{pages} pages of 61000 (", finding.Is);
    }

    [Fact]
    public async Task PressureDuringTheCheckIsTold()
    {
        _host.Write("/proc/net/sockstat", "TCP: inuse 5 orphan 0 tw 0 alloc 7 mem 700\n").Write("/proc/net/netstat", string.Format(null, Pressures, 4));
        Assert.Equal(FindingVerdict.Good, (await _host.FindAsync("tcp.memory")).Verdict);
        Finding finding = await _host.FindAsync("tcp.memory", between: () => _host.Write("/proc/net/netstat", string.Format(null, Pressures, 6)));
        Assert.Equal(FindingVerdict.Advice, finding.Verdict);
        Assert.EndsWith("times under pressure: 6 since boot, 2 in the last second", finding.Is);
    }

    /// <summary>A namespace has no tcp_mem of its own.</summary>
    [Fact]
    public async Task WithoutLimitsTheCountRemains()
    {
        _host.Write("/proc/net/sockstat", "TCP: inuse 5 orphan 0 tw 0 alloc 7 mem 70000\n");
        _host.Remove("/proc/sys/net/ipv4/tcp_mem");
        Assert.Equal(FindingVerdict.Good, (await _host.FindAsync("tcp.memory")).Verdict);
    }

    [Theory]
    [InlineData(0, 0, 0, "Good", "0")]
    [InlineData(1_000_000, 100, 100, "Good", "100 since boot of 1000000 taken, 0 in the last second")]
    [InlineData(1_000_000, 101, 101, "Advice", "101 since boot of 1000000 taken, 0 in the last second")]
    [InlineData(1_000_000, 5, 7, "Advice", "7 since boot of 1000000 taken, 2 in the last second")]
    public async Task DatagramsWithoutRoom(long came, long before, long after, string verdict, string now)
    {
        _host.Write("/proc/net/snmp", string.Format(null, Datagrams, came, before));
        Finding finding = await _host.FindAsync("udp.drops", between: () => _host.Write("/proc/net/snmp", string.Format(null, Datagrams, came, after)));
        Assert.Equal((Enum.Parse<FindingVerdict>(verdict), now), (finding.Verdict, finding.Is));
    }
}
