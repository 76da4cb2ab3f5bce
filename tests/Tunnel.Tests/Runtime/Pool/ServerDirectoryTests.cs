using Microsoft.Extensions.Logging.Abstractions;
using Tunnel.App.Config;
using Tunnel.App.Runtime.Pool;
using Tunnel.App.Runtime.Resolving;
using Tunnel.Tests.Runtime.Resolving;
using static Tunnel.Tests.Runtime.Resolving.FakeNameServer;

namespace Tunnel.Tests.Runtime.Pool;

/// <summary>From [[server]] entries to servers, through a name server.</summary>
public sealed class ServerDirectoryTests
{
    private static readonly RemoteServerConfig Static = new(new HostPort("192.0.2.1", 9999), null, 1, 0, 1);
    private static readonly RemoteServerConfig Srv = new(null, "_tunnel._udp.example.net", 1, 1, 1);

    private readonly List<IReadOnlyList<ServerSpec>> _told = [];

    [Fact(Timeout = 60_000)]
    public async Task RecordsJoinTheServersThatTheFileNames()
    {
        using var server = new FakeNameServer(query => [Answer(query, FakeNameServer.Srv("a", 1, 2), FakeNameServer.Srv("b", 2, 1))]);
        using ServerDirectory directory = Create(server);
        directory.Apply([Static, Srv]);
        await PoolWorld.Eventually(() => Last().Count == 3);
        Assert.Equal(["192.0.2.1:9999", "b:2", "a:1"], Last().Select(s => s.Address.ToString()));
        directory.Apply([Static]);
        Assert.Equal([ServerSpec.Of(Static)], Last());
    }

    [Fact(Timeout = 60_000)]
    public async Task WhatIsKnownOutlivesItsNameServer()
    {
        var answers = new Queue<Func<byte[], byte[]>>([q => Answer(q, FakeNameServer.Srv("a", 1, timeToLive: 0)), q => Failed(q, 2)]);
        using var server = new FakeNameServer(query => [(answers.Count > 1 ? answers.Dequeue() : answers.Peek())(query)]);
        using ServerDirectory directory = Create(server);
        directory.Apply([Srv]);
        // The second look, five seconds after the first, asks twice and learns nothing.
        await PoolWorld.Eventually(() => server.Questions >= 3);
        Assert.Equal("a:1", Assert.Single(Last()).Address.ToString());
        directory.Apply([Srv, Static]);
        Assert.Equal(2, Last().Count);
    }

    [Fact]
    public void AServerThatIsNamedTwiceIsOneOfTheBetterPriority()
    {
        using ServerDirectory directory = Create();
        directory.Apply([Static with { Priority = 5 }, Static with { Weight = 7 }]);
        Assert.Equal(7, Assert.Single(Last()).Weight);
    }

    private ServerDirectory Create(params FakeNameServer[] servers) => new(
        new DnsClient(() => [.. servers.Select(s => s.EndPoint)], TimeSpan.FromSeconds(5)), Take, NullLogger.Instance);

    private void Take(IReadOnlyList<ServerSpec> servers)
    {
        lock (_told)
            _told.Add(servers);
    }

    private IReadOnlyList<ServerSpec> Last()
    {
        lock (_told)
            return _told[^1];
    }
}
