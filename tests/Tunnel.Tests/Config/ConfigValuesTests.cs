using System.Net;
using System.Net.NetworkInformation;
using Tunnel.App.Config;

namespace Tunnel.Tests.Config;

/// <summary>The forms that values take.</summary>
public class ConfigValuesTests
{
    [Theory]
    [InlineData("65536", 65536)]
    [InlineData("'100000B'", 100_000)]
    [InlineData("'64KiB'", 64 << 10)]
    [InlineData("'8MiB'", 8 << 20)]
    [InlineData("'1.5MiB'", 3 << 19)]
    [InlineData("'1GiB'", 1 << 30)]
    [InlineData("'512KB'", 512_000)]
    [InlineData("'3MB'", 3_000_000)]
    [InlineData("'1GB'", 1_000_000_000)]
    public void Sizes(string value, int bytes) =>
        Assert.Equal(bytes, ConfigText.ValidServer(ConfigText.Server + $"[network.pcap]\nsockbuf = {value}").Network.Pcap.SockBuf);

    [Theory]
    [InlineData("''")]
    [InlineData("'8'")]
    [InlineData("'8 MiB'")]
    [InlineData("'8mib'")]
    [InlineData("'-8MiB'")]
    [InlineData("'MiB'")]
    [InlineData("'.5MiB'")]
    [InlineData("'8.MiB'")]
    [InlineData("'1.2.3MiB'")]
    [InlineData("'100000.5B'")]
    [InlineData("8e6")]
    [InlineData("true")]
    [InlineData("65535")]
    [InlineData("'2GiB'")]
    [InlineData("'99999999999999999999999999GiB'")]
    [InlineData("-1")]
    public void NotSizes(string value) =>
        AssertRefused("[network.pcap]\nsockbuf", value, "network.pcap.sockbuf", "\"auto\" or a size, 64KiB to 1GiB");

    [Theory]
    [InlineData("5", 5000)]
    [InlineData("0.25", 250)]
    [InlineData("'10s'", 10_000)]
    [InlineData("'1.5s'", 1500)]
    [InlineData("'500ms'", 500)]
    [InlineData("'200000us'", 200)]
    [InlineData("'2m'", 120_000)]
    public void Durations(string value, int milliseconds) => Assert.Equal(
        TimeSpan.FromMilliseconds(milliseconds),
        ConfigText.ValidServer(ConfigText.Server + $"header_timeout = {value}").Transport.Kcp.HeaderTimeout);

    [Fact]
    public void HoursCount() => Assert.Equal(
        TimeSpan.FromHours(1),
        ConfigText.ValidServer(ConfigText.Server + "keepalive_timeout = '1h'").Transport.Kcp.KeepAliveTimeout);

    [Theory]
    [InlineData("''")]
    [InlineData("'10'")]
    [InlineData("'10 s'")]
    [InlineData("'10S'")]
    [InlineData("'-10s'")]
    [InlineData("'1m30s'")]
    [InlineData("'10ns'")]
    [InlineData("inf")]
    [InlineData("nan")]
    [InlineData("-1")]
    [InlineData("0.05")]
    [InlineData("'6m'")]
    [InlineData("9223372036854775807")]
    [InlineData("1e300")]
    [InlineData("10:00:00")]
    public void NotDurations(string value) =>
        AssertRefused("header_timeout", value, "transport.kcp.header_timeout", "a duration, 100ms to 5m");

    [Theory]
    [InlineData("guard_window = 1.5")]
    [InlineData("guard_window = '1500ms'")]
    [InlineData("mode = 'manual'\ninterval = '10500us'")]
    public void SomeDurationsAreWhole(string line) =>
        Assert.Contains("not a whole number", Assert.Single(ConfigText.LoadServer(ConfigText.Server + line).Problems).What);

    [Theory]
    [InlineData("192.0.2.1:1", "192.0.2.1", 1)]
    [InlineData("[2001:db8::1]:65535", "2001:db8::1", 65535)]
    [InlineData("example.com:80", "example.com", 80)]
    [InlineData("a-b_c.example.:80", "a-b_c.example.", 80)]
    [InlineData("localhost:80", "localhost", 80)]
    public void Targets(string text, string host, int port)
    {
        HostPort server = ConfigText.ValidClient(ConfigText.Client.Replace("192.0.2.1:9999", text)).Servers[0].Address!;
        Assert.Equal(new HostPort(host, port), server);
        Assert.Equal(text, server.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("192.0.2.1")]
    [InlineData("192.0.2.1:")]
    [InlineData(":80")]
    [InlineData("192.0.2.1:0")]
    [InlineData("192.0.2.1:65536")]
    [InlineData("192.0.2.1:+80")]
    [InlineData("192.0.2.1: 80")]
    [InlineData("192.0.2.256:80")]
    [InlineData("192.0.2:80")]
    [InlineData("192.0.2.01:80")]
    [InlineData("2001:db8::1:80")]
    [InlineData("[192.0.2.1]:80")]
    [InlineData("[2001:db8::1]")]
    [InlineData("[2001:db8::g]:80")]
    [InlineData("[::1]:80:90")]
    [InlineData("a b:80")]
    [InlineData("-a.example:80")]
    [InlineData("a..b:80")]
    [InlineData("http://a.example:80")]
    [InlineData("é.example:80")]
    [InlineData("192.0.2.1\\u0000:80")]
    [InlineData("192.0.2.1:80\\u0000")]
    [InlineData("[2001:db8::1\\u0000]:80")]
    public void NotTargets(string text)
    {
        ConfigProblem problem = Assert.Single(ConfigText.LoadClient(ConfigText.Client.Replace("192.0.2.1:9999", text)).Problems);
        Assert.Equal((2, 11, "server.address"), (problem.Line, problem.Column, problem.Key));
    }

    [Theory]
    [InlineData("0.0.0.0:0")]
    [InlineData("[::]:1080")]
    [InlineData("127.0.0.1:65535")]
    public void Listeners(string text) => Assert.Equal(
        IPEndPoint.Parse(text),
        ConfigText.ValidClient(ConfigText.Client.Replace("127.0.0.1:1080\"", text + "\"\nanyone = true")).Socks5[0].Listen);

    [Theory]
    [InlineData("127.0.0.1:1", "")]
    [InlineData("127.9.9.9:1", "")]
    [InlineData("[::1]:1", "")]
    [InlineData("[::ffff:127.0.0.1]:1", "")]
    [InlineData("127.0.0.1:1", "anyone = true")]
    [InlineData("0.0.0.0:1", "anyone = true")]
    [InlineData("0.0.0.0:1", "username = 'u'\npassword = 'p'")]
    [InlineData("0.0.0.0:1", "username = 'u'\npassword = 'p'\nanyone = false")]
    public void DoorsThatAreClosedOrMeantToBeOpen(string listen, string more) =>
        ConfigText.ValidClient(ConfigText.Client + $"[[socks5]]\nlisten = '{listen}'\n{more}\n");

    [Theory]
    [InlineData("backlog = 'max'\nacceptors = 'auto'", null, null, 16384)]
    [InlineData("backlog = 4096\nacceptors = 8\nmax_connections = 100", 4096, 8, 100)]
    public void ListenersStandAStorm(string settings, int? backlog, int? acceptors, int most) => Assert.Equal(
        new ListenersConfig(backlog, acceptors, most),
        ConfigText.ValidClient(ConfigText.Client + $"[listeners]\n{settings}").Listeners);

    [Theory]
    [InlineData("localhost:1080")]
    [InlineData(":1080")]
    [InlineData("1080")]
    [InlineData("127.1:1080")]
    [InlineData("127.0.0.1:70000")]
    public void NotListeners(string text)
    {
        ConfigProblem problem = Assert.Single(ConfigText.LoadClient(ConfigText.Client.Replace("127.0.0.1:1080", text)).Problems);
        Assert.Equal((4, 10, "socks5.listen"), (problem.Line, problem.Column, problem.Key));
    }

    [Fact]
    public void Families()
    {
        NetworkConfig network = ConfigText.ValidClient(ConfigText.Client + """
            [network.ipv4]
            address = "192.0.2.7"
            port = 40000
            router_mac = "aa:bb:cc:dd:ee:ff"
            [network.ipv6]
            address = "2001:db8::7"
            """).Network;

        Assert.Equal(new AddressConfig(IPAddress.Parse("192.0.2.7"), 40000, PhysicalAddress.Parse("AABBCCDDEEFF")), network.IPv4);
        Assert.Equal(IPAddress.Parse("2001:db8::7"), network.IPv6.Address);
    }

    [Theory]
    [InlineData("[network.ipv4]\naddress", "'2001:db8::1'", "network.ipv4.address", "\"auto\" or an IPv4 address")]
    [InlineData("[network.ipv6]\naddress", "'192.0.2.1'", "network.ipv6.address", "\"auto\" or an IPv6 address")]
    [InlineData("[network.ipv6]\naddress", "'[2001:db8::1]:1'", "network.ipv6.address", "\"auto\"")]
    [InlineData("[network.ipv4]\nrouter_mac", "'aa-bb-cc-dd-ee-ff'", "network.ipv4.router_mac", "\"auto\" or an Ethernet")]
    [InlineData("[network.ipv4]\nrouter_mac", "'aa:bb:cc:dd:ee:f'", "network.ipv4.router_mac", "\"auto\"")]
    [InlineData("[network]\ndscp", "64", "network.dscp", "an integer, 0 to 63")]
    [InlineData("[network]\nlink", "'tcp'", "network.link", "\"pcap\", \"udp\"")]
    [InlineData("[network]\ninterface", "''", "network.interface", "\"auto\" or the name")]
    [InlineData("[network]\nfirewall", "1", "network.firewall", "true or false")]
    [InlineData("[network.tcp]\nlocal_flag", "[]", "network.tcp.local_flag", "a list of 1 to 64")]
    [InlineData("[network.tcp]\nlocal_flag", "'PA'", "network.tcp.local_flag", "a list")]
    [InlineData("[network.pcap]\ntimeout_ms", "0", "network.pcap.timeout_ms", "1ms to 1000ms")]
    [InlineData("[network.pcap]\nsnaplen", "127", "network.pcap.snaplen", "128 to 262144 bytes")]
    [InlineData("[log]\nlevel", "'warn'", "log.level", "\"warning\"")]
    [InlineData("[transport]\nconn", "0", "transport.conn", "1 to 256")]
    [InlineData("[transport]\nconn", "257", "transport.conn", "1 to 256")]
    [InlineData("[transport]\nprofile", "'stock'", "transport.profile", "\"paqet\", \"kcptun\"")]
    [InlineData("[transport]\ngrace", "301", "transport.grace", "0s to 5m")]
    [InlineData("mtu", "1501", "transport.kcp.mtu", "128 to 1500")]
    [InlineData("mtu", "1350.0", "transport.kcp.mtu", "an integer")]
    [InlineData("mtu", "9223372036854775807", "transport.kcp.mtu", "an integer")]
    [InlineData("rcvwnd", "0", "transport.kcp.rcvwnd", "1 to 65535 segments")]
    [InlineData("mode", "'fast4'", "transport.kcp.mode", "\"normal\", \"fast\", \"fast2\", \"fast3\", \"manual\"")]
    [InlineData("guard_magic", "'PQT'", "transport.kcp.guard_magic", "exactly 4 ASCII")]
    [InlineData("guard_magic", "'PQTé'", "transport.kcp.guard_magic", "exactly 4 ASCII")]
    [InlineData("guard_skew", "11", "transport.kcp.guard_skew", "0 to 10")]
    [InlineData("guard_window", "3601", "transport.kcp.guard_window", "1s to 3600s")]
    [InlineData("smux_version", "3", "transport.kcp.smux_version", "1 to 2")]
    [InlineData("keepalive", "0.5", "transport.kcp.keepalive", "1s to 10m")]
    [InlineData("block", "'blowfish'", "transport.kcp.block", "\"aes\", \"aes-128\"")]
    [InlineData("block", "'aes-256'", "transport.kcp.block", "\"aes\", \"aes-128\"")]
    public void RefusedValues(string key, string value, string fullName, string allowed) => AssertRefused(key, value, fullName, allowed);

    [Theory]
    [InlineData("['PA']", new ushort[] { 0x18 })]
    [InlineData("['F','S','R','P','A','U','E','C','N']", new ushort[] { 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100 })]
    [InlineData("['NCEUAPRSF', 'AP']", new ushort[] { 0x1FF, 0x18 })]
    public void TcpFlags(string value, ushort[] flags) =>
        Assert.Equal(flags, ConfigText.ValidServer(ConfigText.Server + $"[network.tcp]\nremote_flag = {value}").Network.Tcp.Remote);

    [Theory]
    [InlineData("['PA', 'PP']", 22)]
    [InlineData("['PA', '']", 22)]
    [InlineData("['PA', 'pa']", 22)]
    [InlineData("['PA', 'X']", 22)]
    [InlineData("['PA', 24]", 22)]
    public void TcpFlagsErrorsNameTheItem(string value, int column)
    {
        ConfigProblem problem = Assert.Single(ConfigText.LoadServer(ConfigText.Server + $"[network.tcp]\nremote_flag = {value}").Problems);
        Assert.Equal((6, column), (problem.Line, problem.Column));
    }

    [Fact]
    public void AtMost64FlagStrings()
    {
        static string List(int count) => $"[network.tcp]\nlocal_flag = [{string.Join(",", Enumerable.Repeat("'A'", count))}]";
        Assert.Equal(64, ConfigText.ValidServer(ConfigText.Server + List(64)).Network.Tcp.Local.Length);
        Assert.False(ConfigText.LoadServer(ConfigText.Server + List(65)).IsValid);
    }

    [Theory]
    [InlineData("blowfish")]
    [InlineData("twofish")]
    [InlineData("cast5")]
    [InlineData("3des")]
    [InlineData("tea")]
    [InlineData("xtea")]
    [InlineData("sm4")]
    public void CiphersThatAreLeftOutAreExplained(string block)
    {
        ConfigProblem problem = Assert.Single(ConfigText.LoadServer(ConfigText.Server + $"block = '{block}'").Problems);
        Assert.Contains("obsolete or unmaintained", problem.What);
        Assert.Contains("\"chacha20-poly1305\"", problem.Allowed);
    }

    [Fact]
    public void SkewZeroIsOne() => Assert.Equal(1, ConfigText.ValidServer(ConfigText.Server + "guard_skew = 0").Transport.Kcp.Guard!.Skew);

    /// <summary>One problem, at the value, which stands on the last line behind <c>key = </c>.</summary>
    private static void AssertRefused(string key, string value, string fullName, string allowed)
    {
        string toml = ConfigText.Server + $"{key} = {value}";
        ConfigProblem problem = Assert.Single(ConfigText.LoadServer(toml).Problems);
        Assert.Equal(fullName, problem.Key);
        Assert.Equal(toml.Count(c => c == '\n') + 1, problem.Line);
        Assert.Equal(key.Split('\n')[^1].Length + 4, problem.Column);
        Assert.Contains(allowed, problem.Allowed);
    }

    /// <summary>At the client many tables, at the server one, of the same name.</summary>
    [Fact]
    public void ReverseForwards()
    {
        string client = ConfigText.Client.Replace("[[socks5]]\nlisten = \"127.0.0.1:1080\"", "[[reverse]]\nlisten='[::1]:81'\ntarget='a.example:80'\nprotocol='udp'");
        Assert.Equal(
            new ReverseConfig(IPEndPoint.Parse("[::1]:81"), new HostPort("a.example", 80), ForwardProtocol.Udp),
            Assert.Single(ConfigText.ValidClient(client).Reverse));
        Assert.Equal("allow []", ConfigText.ValidServer(ConfigText.Server).Reverse.ToString());
        Assert.Equal(3, ConfigText.ValidServer(ConfigText.Server + "[listeners]\nacceptors=3\n").Listeners.Acceptors);
    }

    [Theory]
    [InlineData("'10.0.0.0/8:80-90'", "10.1.2.3:90", true)]
    [InlineData("'10.0.0.0/8:80-90'", "10.1.2.3:91", false)]
    [InlineData("'10.0.0.0/8'", "0.0.0.0:80", false)]
    [InlineData("'0.0.0.0'", "0.0.0.0:80", true)]
    [InlineData("'0.0.0.0'", "127.0.0.1:80", false)]
    [InlineData("'0.0.0.0/0'", "[::]:80", false)]
    [InlineData("'[::1]:80'", "[::1]:80", true)]
    [InlineData("'*:80'", "[::]:80", true)]
    [InlineData("'*:80'", "[::]:81", false)]
    [InlineData("'127.0.0.1'", "[::ffff:127.0.0.1]:80", true)]
    [InlineData("", "127.0.0.1:80", false)]
    public void WhereServersMayListen(string allow, string address, bool permitted) => Assert.Equal(
        permitted,
        ConfigText.ValidServer(ConfigText.Server + $"[reverse]\nallow=[{allow}]\n").Reverse.Permits(IPEndPoint.Parse(address)));

    [Theory]
    [InlineData("'a.example'")]
    [InlineData("'*.example:80'")]
    [InlineData("'10.0.0.1/8'")]
    [InlineData("'10.0.0.0/8:0'")]
    [InlineData("80")]
    public void NotWhereServersMayListen(string allow) => Assert.Equal(
        "reverse.allow", Assert.Single(ConfigText.LoadServer(ConfigText.Server + $"[reverse]\nallow=[{allow}]\n").Problems).Key);
}
