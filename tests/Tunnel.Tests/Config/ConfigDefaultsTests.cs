using System.Net;
using Tunnel.App.Config;

namespace Tunnel.Tests.Config;

public class ConfigDefaultsTests
{
    [Fact]
    public void MinimalServer()
    {
        ServerConfig config = ConfigText.ValidServer(ConfigText.Server);

        Assert.Equal((9999, 1), (config.Port, config.Ports));
        Assert.Null(config.Target);
        Assert.Equal(LogThreshold.Info, config.Log.Level);
        Assert.Equal(TimeSpan.FromSeconds(10), config.Transport.DialTimeout);
    }

    [Fact]
    public void MinimalClient()
    {
        ClientConfig config = ConfigText.ValidClient(ConfigText.Client);

        Assert.Equal(new RemoteServerConfig(new HostPort("192.0.2.1", 9999), null, 1, 0, 1), Assert.Single(config.Servers));
        Assert.Equal(new Socks5Config(IPEndPoint.Parse("127.0.0.1:1080"), null), Assert.Single(config.Socks5));
        Assert.Empty(config.Forward);
    }

    [Fact]
    public void Network()
    {
        NetworkConfig network = ConfigText.ValidServer(ConfigText.Server).Network;

        Assert.Equal(LinkKind.Auto, network.Link);
        Assert.Null(network.Interface);
        Assert.True(network.Firewall);
        Assert.Equal(0, network.Dscp);
        Assert.Equal(new AddressConfig(null, 0, null), network.IPv4);
        Assert.Equal(new AddressConfig(null, 0, null), network.IPv6);
        Assert.Equal([0x18], network.Tcp.Local);
        Assert.Equal([0x18], network.Tcp.Remote);
        Assert.Equal(new PcapConfig(null, null, false, true, TimeSpan.FromMilliseconds(1)), network.Pcap);
        Assert.True(network.UdpOffload);
        Assert.Null(network.Receivers);
    }

    [Fact]
    public void Transport()
    {
        TransportConfig transport = ConfigText.ValidClient(ConfigText.Client).Transport;

        Assert.Equal(1, transport.Conn);
        Assert.Equal(TransportProfile.Paqet, transport.Profile);
        Assert.Equal(HeaderDialect.V1, transport.Header);
        Assert.Equal(TimeSpan.FromSeconds(10), transport.OpenTimeout);
        Assert.Equal(TimeSpan.FromSeconds(3), transport.Grace);
    }

    [Fact]
    public void Kcp()
    {
        var expected = new KcpConfig
        {
            Tuning = KcpTuning.Fast3,
            Mtu = null,
            Pacing = true,
            RcvWnd = 2048,
            SndWnd = 2048,
            Key = new Secret("k"),
            Block = KcpBlock.Aes128Gcm,
            Guard = new GuardConfig("PQT1", TimeSpan.FromSeconds(30), 1),
            SmuxBuf = 32 << 20,
            StreamBuf = 8 << 20,
            SmuxVersion = 2,
            KeepAlive = TimeSpan.FromSeconds(10),
            KeepAliveTimeout = TimeSpan.FromSeconds(30),
            MaxSessions = 512,
            MaxStreamsTotal = 16384,
            MaxStreamsPerSession = 1024,
            HeaderTimeout = TimeSpan.FromSeconds(10),
        };

        Assert.Equal(expected, ConfigText.ValidServer(ConfigText.Server).Transport.Kcp);
    }

    [Theory]
    [InlineData("smuxbuf='1MiB'", 1, 1)]
    [InlineData("smuxbuf='64MiB'", 64, 8)]
    [InlineData("streambuf='16MiB'", 32, 16)]
    public void AStreamsBufferIsByDefaultNoLargerThanItsSessions(string keys, int session, int stream)
    {
        KcpConfig kcp = ConfigText.ValidServer(ConfigText.Server + keys).Transport.Kcp;
        Assert.Equal((session << 20, stream << 20), (kcp.SmuxBuf, kcp.StreamBuf));
    }

    [Theory]
    [InlineData("normal", false, 40, true, false)]
    [InlineData("fast", false, 30, true, false)]
    [InlineData("fast2", true, 20, false, true)]
    [InlineData("fast3", true, 10, false, true)]
    [InlineData("manual", true, 10, false, true)]
    public void Modes(string mode, bool noDelay, int interval, bool wDelay, bool ackNoDelay)
    {
        KcpTuning tuning = ConfigText.ValidServer(ConfigText.Server + $"mode = \"{mode}\"").Transport.Kcp.Tuning;
        Assert.Equal(new KcpTuning(noDelay, TimeSpan.FromMilliseconds(interval), 2, true, wDelay, ackNoDelay), tuning);
    }

    [Fact]
    public void ManualMode()
    {
        const string Manual = "mode='manual'\nnodelay=0\ninterval=100\nresend=0\nnocongestion=false\nwdelay=true\nacknodelay=false\n";
        KcpTuning tuning = ConfigText.ValidServer(ConfigText.Server + Manual).Transport.Kcp.Tuning;
        Assert.Equal(new KcpTuning(false, TimeSpan.FromMilliseconds(100), 0, false, true, false), tuning);
    }

    [Fact]
    public void KcptunProfile()
    {
        ServerConfig config = ConfigText.ValidServer(
            "[listen]\nport=1\ntarget='[2001:db8::1]:80'\n[network]\nlink='udp'\n[transport]\nprofile='kcptun'\n[transport.kcp]\nkey='k'");

        Assert.Equal(new HostPort("2001:db8::1", 80), config.Target);
        Assert.Equal("[2001:db8::1]:80", config.Target!.ToString());
        Assert.Equal(KcpBlock.Aes, config.Transport.Kcp.Block);
        Assert.Null(config.Transport.Kcp.Guard);
        Assert.Equal(2, config.Transport.Kcp.SmuxVersion);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("null")]
    public void WithoutEncryptionAndGuardNoKeyIsNeeded(string block)
    {
        KcpConfig kcp = ConfigText.ValidServer($"[listen]\nport=1\n[transport.kcp]\nblock='{block}'\nguard=false").Transport.Kcp;
        Assert.True(kcp.Key.IsEmpty);
    }
}
