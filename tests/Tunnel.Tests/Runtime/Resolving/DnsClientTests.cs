using System.Net;
using System.Net.Sockets;
using Tunnel.App.Runtime.Resolving;
using Tunnel.Tests.Support;
using static Tunnel.Tests.Runtime.Resolving.FakeNameServer;

namespace Tunnel.Tests.Runtime.Resolving;

/// <summary>Asking name servers, honest ones and others.</summary>
public class DnsClientTests
{
    private const string Asked = "_tunnel._udp.example.net";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task AnAnswer()
    {
        using var server = new FakeNameServer(query => [Answer(query, Srv("a.example.net", 9999, 1, 2))]);
        Assert.Equal([new SrvRecord("a.example.net", 9999, 1, 2)], (await FindAsync(Patience, server)).Records);
        Assert.Equal(1, server.Questions);
    }

    [Fact]
    public async Task ForgedAnswersAreWaitedOut()
    {
        using var server = new FakeNameServer(query =>
        [
            (byte[])[(byte)~query[0], .. Answer(query, Srv("forged", 1))[1..]],
            Hex.Bytes("00"),
            Answer(query, Srv("real", 2)),
        ]);
        Assert.Equal("real", Assert.Single((await FindAsync(Patience, server)).Records).Target);
    }

    [Fact]
    public async Task ALongAnswerComesOverTcp()
    {
        byte[][] records = [.. Enumerable.Range(1, 40).Select(i => Srv($"node-{i}.example.net", i))];
        using var server = new FakeNameServer(query => [Truncated(query)], query => Answer(query, records));
        Assert.Equal(40, (await FindAsync(Patience, server)).Records.Count);
    }

    [Fact]
    public async Task AnotherServerIsAskedWhenOneFails()
    {
        using var failing = new FakeNameServer(query => [Failed(query, 2)]);
        using var good = new FakeNameServer(query => [Answer(query, Srv("a", 1))]);
        Assert.Single((await FindAsync(Patience, failing, good)).Records);
    }

    [Fact]
    public async Task AnotherServerIsAskedWhenOneIsSilent()
    {
        using var silent = new FakeNameServer(_ => []);
        using var good = new FakeNameServer(query => [Answer(query, Srv("a", 1))]);
        Assert.Single((await FindAsync(TimeSpan.FromMilliseconds(100), silent, good)).Records);
    }

    [Fact]
    public async Task EachServerIsAskedTwice()
    {
        using var silent = new FakeNameServer(_ => []);
        var e = await Assert.ThrowsAsync<ResolveException>(() => FindAsync(TimeSpan.FromMilliseconds(100), silent));
        Assert.Contains($"{silent.EndPoint} does not answer", e.Message);
        Assert.Equal(2, silent.Questions);
    }

    [Fact]
    public async Task ATruncatedAnswerWithoutTcpIsNone()
    {
        using var server = new FakeNameServer(query => [Truncated(query)]);
        await Assert.ThrowsAsync<ResolveException>(() => FindAsync(Patience, server));
    }

    [Fact]
    public async Task WhoeverStopsWaitingIsLetGo()
    {
        using var silent = new FakeNameServer(_ => []);
        using var stop = new CancellationTokenSource(50);
        var client = new DnsClient(() => [silent.EndPoint], Patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.FindSrvAsync(Asked, stop.Token));
    }

    [Fact]
    public async Task AClosedPortIsNoServer()
    {
        IPEndPoint closed;
        using (var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            closed = (IPEndPoint)socket.LocalEndPoint!;
        }

        await Assert.ThrowsAsync<ResolveException>(() => new DnsClient(() => [closed], Patience).FindSrvAsync(Asked, CancellationToken.None));
    }

    [Theory]
    [InlineData("nameserver 192.0.2.53\nnameserver 2001:db8::53\n", "192.0.2.53:53 [2001:db8::53]:53")]
    [InlineData("# nameserver 192.0.2.1\nsearch example.net\nnameserver\t192.0.2.2  \r\n", "192.0.2.2:53")]
    [InlineData("nameserver x\nnameserver\n; nothing\n", "127.0.0.1:53")]
    [InlineData("", "127.0.0.1:53")]
    [InlineData("nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4", "1.1.1.1:53 1.1.1.2:53 1.1.1.3:53")]
    public void TheFileOfNameServers(string text, string servers) => Assert.Equal(servers, string.Join(' ', ResolverFile.Parse(text)));

    private static Task<SrvAnswer> FindAsync(TimeSpan timeout, params FakeNameServer[] servers) =>
        new DnsClient(() => [.. servers.Select(s => s.EndPoint)], timeout).FindSrvAsync(Asked, CancellationToken.None);
}
