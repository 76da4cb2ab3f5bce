using Tunnel.App.Config;

namespace Tunnel.Tests.Config;

/// <summary>Mistakes that concern more than one value, and names.</summary>
public class ConfigProblemsTests
{
    private const string KcptunServer =
        "[listen]\nport=1\ntarget='a:1'\n[network]\nlink='udp'\n[transport]\nprofile='kcptun'\n[transport.kcp]\nkey='k'\n";
    private const string KcptunClient =
        "[server]\naddress='a:1'\n[network]\nlink='udp'\n[transport]\nprofile='kcptun'\n[transport.kcp]\nkey='k'\n";

    [Theory]
    [InlineData("", 1, 1, "listen.port", "required")]
    [InlineData("[listen]\n", 1, 1, "listen.port", "required")]
    [InlineData("# c\n  [listen]\n", 2, 3, "listen.port", "required")]
    public void ServerNeedsAPort(string toml, int line, int column, string key, string what) =>
        AssertProblem(ConfigText.LoadServer(toml + "[transport.kcp]\nkey='k'").Problems, line, column, key, what);

    [Fact]
    public void ClientNeedsAServer() =>
        AssertProblem(
            ConfigText.LoadClient("[[socks5]]\nlisten='[::1]:1'\n[transport.kcp]\nkey='k'").Problems, 1, 1, "server.address", "required");

    [Fact]
    public void ClientNeedsAListener() =>
        AssertProblem(ConfigText.LoadClient("[server]\naddress='a:1'\n[transport.kcp]\nkey='k'").Problems, 1, 1, "", "nothing to listen");

    [Theory]
    [InlineData("[[socks5]]\n", 7, 1, "socks5.listen", "required")]
    [InlineData("[[forward]]\nlisten='127.0.0.1:1'\n", 7, 1, "forward.target", "required")]
    [InlineData("[[forward]]\ntarget='a:1'\n", 7, 1, "forward.listen", "required")]
    [InlineData("[[socks5]]\nlisten='127.0.0.1:1080'\n", 8, 8, "socks5.listen", "another listener has 127.0.0.1:1080")]
    [InlineData("[[forward]]\nlisten='127.0.0.1:1080'\ntarget='a:1'\n", 8, 8, "forward.listen", "another listener")]
    [InlineData("[[socks5]]\nlisten='127.0.0.1:2'\nusername='u'\n", 7, 1, "socks5.password", "no password")]
    [InlineData("[[socks5]]\nlisten='127.0.0.1:2'\npassword='u'\n", 7, 1, "socks5.username", "no username")]
    [InlineData("[[socks5]]\nlisten='127.0.0.1:2'\npassword='u'\nusername=''", 10, 10, "socks5.username", "empty")]
    [InlineData("[[forward]]\nlisten='127.0.0.1:2'\ntarget='a:1'\nprotocol='sctp'", 10, 10, "forward.protocol", "not one of them")]
    [InlineData("[forward]\nlisten='127.0.0.1:2'\n", 7, 2, "forward", "this is a table")]
    [InlineData("[[socks5]]\nlisten='0.0.0.0:2'\n", 8, 8, "socks5.listen", "anyone who reaches 0.0.0.0:2 could use this proxy")]
    [InlineData("[[socks5]]\nlisten='[::]:2'\nanyone=false", 8, 8, "socks5.listen", "anyone who reaches [::]:2")]
    [InlineData("[[socks5]]\nlisten='192.0.2.1:2'\nanyone=1", 9, 8, "socks5.anyone", "an integer")]
    [InlineData("[[socks5]]\nlisten='192.0.2.1:2'\nusername='u'\n", 7, 1, "socks5.password", "no password")]
    [InlineData("[[reverse]]\ntarget='a:1'\n", 7, 1, "reverse.listen", "required")]
    [InlineData("[[reverse]]\nlisten='127.0.0.1:1'\n", 7, 1, "reverse.target", "required")]
    [InlineData("[[reverse]]\nlisten='127.0.0.1:0'\ntarget='a:1'\n", 8, 8, "reverse.listen", "is not that")]
    [InlineData("[[reverse]]\nlisten='a.example:1'\ntarget='a:1'\n", 8, 8, "reverse.listen", "is not that")]
    [InlineData("[[reverse]]\nlisten='127.0.0.1:1'\ntarget='a:1'\n[[reverse]]\nlisten='127.0.0.1:1'\ntarget='b:1'\n", 11, 8, "reverse.listen", "another listener has")]
    [InlineData("[reverse]\nallow=['*']\n", 7, 2, "reverse", "this is a table")]
    [InlineData("[listeners]\nbacklog='auto'", 8, 9, "listeners.backlog", "a string")]
    [InlineData("[listeners]\nacceptors=0", 8, 11, "listeners.acceptors", "out of range")]
    [InlineData("[targets]\ndeny=[]", 7, 2, "[targets]", "belongs in a server's file only")]
    [InlineData("[network.ipv4]\nport=65535\n[transport]\nconn=2\n", 8, 6, "network.ipv4.port", "2 connections take the ports 65535 to 65536")]
    [InlineData("[network.ipv6]\nport=65535\n[transport]\nconn=2\n", 8, 6, "network.ipv6.port", "2 connections take the ports 65535 to 65536")]
    [InlineData("[listen]\nport=1\nfoo=1\n", 7, 2, "[listen]", "belongs in a server's file only; this is a client's")]
    [InlineData("[targets]\nallow=['*']\n", 7, 2, "[targets]", "belongs in a server's file only")]
    public void ClientMistakes(string extra, int line, int column, string key, string what) =>
        AssertProblem(ConfigText.LoadClient(ConfigText.Client + extra).Problems, line, column, key, what);

    [Fact]
    public void KcptunCarriesNoDatagrams() => AssertProblem(
        ConfigText.LoadClient(KcptunClient + "[[forward]]\nlisten='127.0.0.1:2'\nprotocol='udp'").Problems, 11, 10, "forward.protocol", "no datagrams");

    [Fact]
    public void TcpAndUdpMayShareAPort() => Assert.Equal(
        [ForwardProtocol.Tcp, ForwardProtocol.Udp],
        ConfigText.ValidClient(ConfigText.Client + Forward("tcp") + Forward("udp")).Forward.Select(f => f.Protocol));

    [Fact]
    public void FreePortsMayRepeat() =>
        Assert.Equal(2, ConfigText.ValidClient(ConfigText.Client.Replace(":1080", ":0") + "[[socks5]]\nlisten='127.0.0.1:0'").Socks5.Count);

    [Theory]
    [InlineData("nodelay=1", 5, 1, "transport.kcp.nodelay", "only the manual mode")]
    [InlineData("mode='fast'\nresend=2", 6, 1, "transport.kcp.resend", "only the manual mode")]
    [InlineData("streambuf='64MiB'", 5, 11, "transport.kcp.streambuf", "64MiB is more than smuxbuf, which is 32MiB")]
    [InlineData("keepalive=30", 5, 11, "transport.kcp.keepalive_timeout", "30s is not longer")]
    [InlineData("keepalive_timeout=10", 5, 19, "transport.kcp.keepalive_timeout", "10s is not longer")]
    [InlineData("key_file='x'", 5, 10, "transport.kcp.key_file", "the file has a key too")]
    [InlineData("[listen.x]", 5, 9, "listen.x", "unknown table")]
    [InlineData("[transport.kcp.mtu]", 5, 1, "transport.kcp.mtu", "this is a table")]
    [InlineData("[[log]]", 5, 3, "log", "this is an array of tables")]
    [InlineData("[[socks5]]", 5, 3, "[[socks5]]", "belongs in a client's file only; this is a server's")]
    [InlineData("[network.ipv4]\nport=5", 6, 1, "network.ipv4.port", "belongs in a client's file only")]
    [InlineData("[transport]\nopen_timeout=5", 6, 1, "transport.open_timeout", "belongs in a client's file only")]
    [InlineData("[network.tcp]\nhandshake=true\nlocal_flag=['S']", 7, 12, "network.tcp.local_flag", "network.tcp.handshake makes flows")]
    [InlineData("[network.tcp]\nhandshake=true\nremote_flag=['PA','A']", 7, 13, "network.tcp.remote_flag", "network.tcp.handshake makes flows")]
    [InlineData("[network.tcp]\nhandshake=true\n[network]\nlink='udp'", 6, 11, "network.tcp.handshake", "sends no TCP segments")]
    [InlineData(
        "[network]\nlink='udp'\nipv4.address='192.0.2.1'\nipv6.address='2001:db8::1'", 8, 14, "network.ipv6.address", "listens on one address or on all")]
    public void ServerMistakes(string extra, int line, int column, string key, string what) =>
        AssertProblem(ConfigText.LoadServer(ConfigText.Server + extra).Problems, line, column, key, what);

    [Theory]
    [InlineData("mut=1", 5, 1, "transport.kcp.mut", "unknown key; did you mean \"mtu\"?")]
    [InlineData("RcvWnd=1", 5, 1, "transport.kcp.RcvWnd", "did you mean \"rcvwnd\"?")]
    [InlineData("rcv_wnd=1", 5, 1, "transport.kcp.rcv_wnd", "did you mean \"rcvwnd\"?")]
    [InlineData("keepalive-timeout=1", 5, 1, "transport.kcp.keepalive-timeout", "did you mean \"keepalive_timeout\"?")]
    [InlineData("conn=1", 5, 1, "transport.kcp.conn", "it belongs in [transport]")]
    [InlineData("sockbuff=1", 5, 1, "transport.kcp.sockbuff", "did you mean \"sockbuf\" in [network.pcap]?")]
    [InlineData("interfase='x'", 5, 1, "transport.kcp.interfase", "did you mean \"interface\" in [network]?")]
    [InlineData("username='x'", 5, 1, "transport.kcp.username", "it belongs in [[socks5]] of a client's file")]
    [InlineData("[netwrok]", 5, 2, "netwrok", "unknown table; did you mean [network]?")]
    [InlineData("[kcp]", 5, 2, "kcp", "did you mean [transport.kcp]?")]
    [InlineData("[network.ipv5]", 5, 10, "network.ipv5", "did you mean [network.ipv4]?")]
    [InlineData("[transport.kcp.zzzzzz]", 5, 16, "transport.kcp.zzzzzz", "unknown table")]
    [InlineData("\"a\\nb\"=1", 5, 1, "transport.kcp.a?b", "unknown key")]
    public void UnknownNames(string extra, int line, int column, string key, string what) =>
        AssertProblem(ConfigText.LoadServer(ConfigText.Server + extra).Problems, line, column, key, what);

    /// <summary>Ends often share their transport's keys: what means something to one of them only is not refused at the other, nor silent.</summary>
    [Theory]
    [InlineData("[transport.kcp]\nkey='k'\nmax_sessions=9", "transport.kcp.max_sessions", "server")]
    [InlineData("[transport.kcp]\nkey='k'\nheader_timeout='9s'", "transport.kcp.header_timeout", "server")]
    [InlineData("[transport.kcp]\nkey='k'\n[network.tcp]\nremote_flag=['A']", "network.tcp.remote_flag", "client")]
    public void WhatOnlyOneEndUsesIsSaidAtTheOther(string shared, string key, string user)
    {
        var client = ConfigText.LoadClient("[server]\naddress='192.0.2.1:9999'\n[[socks5]]\nlisten='127.0.0.1:1080'\n" + shared);
        var server = ConfigText.LoadServer("[listen]\nport=9999\n" + shared);
        Assert.Empty(client.Problems.Concat(server.Problems));
        (var warned, var silent) = user == "server" ? (client.Warnings, server.Warnings) : (server.Warnings, client.Warnings);
        ConfigProblem warning = Assert.Single(warned);
        Assert.Equal(key, warning.Key);
        Assert.StartsWith($"only a {user} does something with this", warning.What);
        Assert.Empty(silent);
    }

    [Fact]
    public void KeysOutsideOfTables() =>
        AssertProblem(ConfigText.LoadServer("mtu=1400\n" + ConfigText.Server).Problems, 1, 1, "mtu", "it belongs in [transport.kcp]");

    [Fact]
    public void UnknownNamesWithoutASuggestionListWhatIsKnown()
    {
        ConfigProblem problem = Assert.Single(ConfigText.LoadServer(ConfigText.Server + "[log]\nqqqqqqqq=1").Problems);
        Assert.Equal("level, format", problem.Allowed);
    }

    [Theory]
    [InlineData("guard=true", 10, 7, "transport.kcp.guard", "has no guard")]
    public void KcptunServerMistakes(string extra, int line, int column, string key, string what) =>
        AssertProblem(ConfigText.LoadServer(KcptunServer + extra).Problems, line, column, key, what);

    [Fact]
    public void KcptunNeedsATargetAndUdp()
    {
        var problems = ConfigText.LoadServer("[listen]\nport=1\n[transport]\nprofile='kcptun'\n[transport.kcp]\nkey='k'").Problems;
        Assert.Equal([(1, 1, "listen.target"), (4, 9, "network.link")], problems.Select(p => (p.Line, p.Column, p.Key)));
    }

    [Fact]
    public void PaqetHasNoServerTarget() => AssertProblem(
        ConfigText.LoadServer("[listen]\nport=1\ntarget='a:1'\n[transport.kcp]\nkey='k'").Problems, 3, 8, "listen.target", "names its own");

    [Fact]
    public void KcptunHasNoSocks5AndNoClientTarget()
    {
        const string Listeners = "[[socks5]]\nlisten='127.0.0.1:1'\n[[forward]]\nlisten='127.0.0.1:2'\ntarget='a:1'";
        var problems = ConfigText.LoadClient(KcptunClient + Listeners).Problems;
        Assert.Equal([(9, 1, "[[socks5]]"), (13, 8, "forward.target")], problems.Select(p => (p.Line, p.Column, p.Key)));
        Assert.Null(Assert.Single(ConfigText.ValidClient(KcptunClient + "[[forward]]\nlisten='127.0.0.1:2'").Forward).Target);
    }

    [Theory]
    [InlineData("", 3, "required")]
    [InlineData("guard=false", 3, "required")]
    [InlineData("block='none'", 3, "required")]
    [InlineData("key=''", 4, "empty")]
    public void AKeyIsRequired(string kcp, int line, string what)
    {
        ConfigProblem problem = Assert.Single(ConfigText.LoadServer($"[listen]\nport=1\n[transport.kcp]\n{kcp}").Problems);
        Assert.Equal(("transport.kcp.key", line), (problem.Key, problem.Line));
        Assert.Contains(what, problem.What);
    }

    [Fact]
    public void AllProblemsAtOnceInOrder()
    {
        const string Toml = """
            [listen]
            port = 70000
            prot = 1
            [transport]
            conn = "two"
            [transport.kcp]
            key = unquoted
            mtu = 9000
            keepalive = 0
            keepalive_timeout = 1
            [socks5]
            listen = "x"
            [log]
            level = "loud"
            """;
        (int, string)[] expected =
        [
            (2, "listen.port"), (3, "listen.prot"), (5, "transport.conn"), (7, ""),
            (8, "transport.kcp.mtu"), (9, "transport.kcp.keepalive"), (11, "[[socks5]]"), (14, "log.level"),
        ];

        Assert.Equal(expected, ConfigText.LoadServer(Toml).Problems.Select(p => (p.Line, p.Key)));
    }

    [Fact]
    public void ProblemsPrintAsCompilersDo()
    {
        ConfigResult<ServerConfig> result = ConfigText.LoadServer(ConfigText.Server + "mtu = 9000\nmut = 1\n");
        Assert.Equal(
            "server.toml:5:7: transport.kcp.mtu: 9000 is out of range; allowed: \"auto\" or an integer, 128 to 1500 bytes\n"
            + "server.toml:6:1: transport.kcp.mut: unknown key; did you mean \"mtu\"?",
            result.DescribeProblems());
    }

    [Fact]
    public void SyntaxErrorsDoNotMakeThingsMissing()
    {
        ConfigProblem problem = Assert.Single(ConfigText.LoadServer("[listen]\nport 9999\n[transport.kcp]\nkey='k'").Problems);
        Assert.Equal((2, 6), (problem.Line, problem.Column));
    }

    [Theory]
    [InlineData("no-such-folder/no-such-file.toml")]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("nul\0")]
    public void UnreadableFilesAreProblems(string path)
    {
        ConfigProblem problem = Assert.Single(ConfigLoader.LoadClient(path).Problems);
        Assert.Equal((0, 0), (problem.Line, problem.Column));
        Assert.Contains("cannot be read", problem.What);
    }

    private static void AssertProblem(IReadOnlyList<ConfigProblem> problems, int line, int column, string key, string what)
    {
        ConfigProblem problem = Assert.Single(problems);
        Assert.Equal((line, column, key), (problem.Line, problem.Column, problem.Key));
        Assert.Contains(what, problem.What);
    }

    private static string Forward(string protocol) => $"[[forward]]\nlisten='127.0.0.1:2'\ntarget='a:1'\nprotocol='{protocol}'\n";
}
