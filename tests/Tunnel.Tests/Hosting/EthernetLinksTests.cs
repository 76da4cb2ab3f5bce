using Tunnel.App.Hosting;
using Tunnel.Links;
using Tunnel.Tests.Links;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Hosting;

/// <summary>link = "auto": packet sockets, else libpcap, else an error that says what is left.</summary>
public sealed class EthernetLinksTests : IDisposable
{
    private readonly LogLines _log = new();
    private readonly ScriptedLink _link = new();

    public void Dispose()
    {
        _link.Dispose();
        _log.Dispose();
    }

    [Fact]
    public void PacketSocketsAreTakenWhereTheyWork()
    {
        Assert.Same(_link, EthernetLinks.OpenEither(() => [_link], () => throw new InvalidOperationException("not asked for"), _log)[0]);
        Assert.Empty(_log.All);
    }

    [Theory]
    [InlineData(LinkFault.Other)]
    [InlineData(LinkFault.MissingDependency)]
    public void LibpcapFollowsAndTheLogSaysWhy(LinkFault fault)
    {
        Assert.Same(_link, EthernetLinks.OpenEither(() => throw new LinkException(fault, "refused for a test"), () => [_link], _log)[0]);
        Assert.True(_log.Has("refused for a test") && _log.Has("libpcap"), string.Join('\n', _log.All));
    }

    /// <summary>What keeps one from working keeps the other from it: the first error is the clearer one.</summary>
    [Theory]
    [InlineData(LinkFault.Privilege)]
    [InlineData(LinkFault.Network)]
    public void WhatConcernsBothIsNotTriedTwice(LinkFault fault)
    {
        LinkException e = Assert.Throws<LinkException>(() => EthernetLinks.OpenEither(
            () => throw new LinkException(fault, "refused for a test"), () => throw new InvalidOperationException("not asked for"), _log));
        Assert.Equal((fault, "refused for a test"), (e.Fault, e.Message));
        Assert.Empty(_log.All);
    }

    [Fact]
    public void WhereNeitherWorksBothReasonsAndTheWayOutAreNamed()
    {
        LinkException e = Assert.Throws<LinkException>(() => EthernetLinks.OpenEither(
            () => throw new LinkException(LinkFault.Other, "first reason"), () => throw new LinkException(LinkFault.MissingDependency, "second reason"), _log));
        Assert.Equal(LinkFault.MissingDependency, e.Fault);
        Assert.Contains("first reason", e.Message, StringComparison.Ordinal);
        Assert.Contains("second reason", e.Message, StringComparison.Ordinal);
        Assert.Contains("network.link = \"udp\"", e.Message, StringComparison.Ordinal);
    }
}
