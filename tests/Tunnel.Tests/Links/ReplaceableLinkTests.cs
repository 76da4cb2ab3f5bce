using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Links;

/// <summary>A link that is exchanged while it is in use: nothing that was captured is lost, and nothing is sent to a closed one.</summary>
public sealed class ReplaceableLinkTests : IDisposable
{
    private static readonly FlowAddresses Addresses = new(
        default, default, Endpoint.FromBytes([10, 0, 0, 1], 1), Endpoint.FromBytes([10, 0, 0, 2], 2));

    private readonly ScriptedLink _first = new(maxMergedLength: 65535);
    private readonly ScriptedLink _second = new();
    private readonly ReplaceableLink _link;
    private readonly FrameCollector _heard = new();
    private readonly List<LinkException> _faults = [];

    public ReplaceableLinkTests()
    {
        _link = new ReplaceableLink(_first);
        _link.Broke += _faults.Add;
    }

    [Fact]
    public void WhatTheOldLinkCapturedIsReadBeforeTheNewOne()
    {
        _first.Arrive(1);
        _second.Arrive(2);
        _link.Replace(_second);
        Assert.Equal(1, _link.Send([7], 1, default));
        Assert.Empty(_first.Sent);
        Assert.Equal([[7]], _second.Sent);
        Assert.False(_first.IsDisposed);

        Assert.Equal(1, _link.Receive(_heard, 0));
        Assert.Equal(1, _link.Receive(_heard, 0));
        Assert.Equal([[1], [2]], _heard.Frames);
        Assert.True(_first.IsDisposed);
        Assert.False(_second.IsDisposed);
    }

    [Fact]
    public void ABrokenLinkIsQuietUntilAnotherTakesItsPlace()
    {
        _first.Arrive(1);
        _first.Fault = new LinkException(LinkFault.Network, "gone");
        Assert.Equal(0, _link.Receive(_heard, -1));
        // Whoever was entered for the frame that came before is left.
        Assert.Equal([[1]], _heard.Frames);
        Assert.Equal(1, _heard.Batches);
        Assert.True(_link.IsBroken);
        Assert.Equal(0, _link.Receive(_heard, 0));
        Assert.Equal([_first.Fault], _faults);
        Assert.Equal(0, _link.Send([7], 1, default));

        _second.Arrive(2);
        _link.Replace(_second);
        Assert.False(_link.IsBroken);
        // Both waits end at once: the one by the exchange, the other by the frame.
        while (_link.Receive(_heard, -1) == 0)
        {
        }

        Assert.Equal([[1], [2]], _heard.Frames);
        Assert.Single(_faults);
        Assert.True(_first.IsDisposed);
    }

    [Fact]
    public void AWaitOnABrokenLinkEndsWhenItIsWoken()
    {
        _first.Fault = new LinkException(LinkFault.Network, "gone");
        _link.Receive(_heard, -1);
        _link.Wake();
        Assert.Equal(0, _link.Receive(_heard, -1));
    }

    [Fact]
    public void ALinkThatWasNeverHeardIsClosed()
    {
        using var third = new ScriptedLink();
        _link.Replace(_second);
        _link.Replace(third);
        Assert.True(_second.IsDisposed);
        Assert.Equal(0, _link.Receive(_heard, 0));
        third.Arrive(3);
        Assert.Equal(1, _link.Receive(_heard, -1));
        Assert.Equal([[3]], _heard.Frames);
    }

    [Fact]
    public void ALinkThatComesTooLateIsClosed()
    {
        _link.Dispose();
        Assert.True(_first.IsDisposed);
        _link.Replace(_second);
        Assert.True(_second.IsDisposed);
    }

    [Fact]
    public void BothAreClosedWhenNobodyHasHeardTheSecondYet()
    {
        _link.Replace(_second);
        _link.Dispose();
        Assert.True(_first.IsDisposed);
        Assert.True(_second.IsDisposed);
    }

    [Fact]
    public void CountersGoOn()
    {
        _first.Arrive(1);
        _link.Receive(_heard, 0);
        _link.Send([7], 1, default);
        _link.Replace(_second);
        _link.Send([7], 1, default);
        Assert.Equal((1, 2), (_link.Counters.PacketsIn, _link.Counters.PacketsOut));
        _second.Arrive(2);
        _link.Receive(_heard, 0);
        _link.Receive(_heard, 0);
        Assert.Equal((2, 2), (_link.Counters.PacketsIn, _link.Counters.PacketsOut));
    }

    /// <summary>The way to the new link may be another one (libpcap in the place of a packet socket).</summary>
    [Fact]
    public void APathThatMergedGoesOnWithSingleFrames()
    {
        PeerPath path = new TcpCarrier(0, [TcpFlags.Default]).Open(_link, Addresses, fixedRouter: true);
        path.Merge();
        Assert.True(path.FrontRoom > 0);
        _link.Replace(_second);
        byte[] run = new byte[path.FrontRoom + 300];
        Assert.True(path.MaximumRun >= run.Length);
        path.Send(run, 100);
        Assert.Empty(_second.Sent);
        Assert.Equal(0, path.FrontRoom);
        path.Send(new byte[path.Headroom + 100], path.Headroom + 100);
        Assert.Single(_second.Sent);
    }

    /// <summary>What one device refuses another may take: an interface that came back, another card.</summary>
    [Fact]
    public void APathMergesAgainOverALinkThatCan()
    {
        using var third = new ScriptedLink(maxMergedLength: 65_535);
        PeerPath path = new TcpCarrier(0, [TcpFlags.Default]).Open(_link, Addresses, fixedRouter: true);
        path.Merge();
        _link.Replace(_second);
        path.Send(new byte[path.FrontRoom + 300], 100);
        path.Prepare();
        Assert.Equal(0, path.FrontRoom);
        _link.Replace(third);
        path.Prepare();
        Assert.True(path.FrontRoom > 0);
    }

    [Fact]
    public void APathWhosePeerTakesNoMergedFramesNeverMerges()
    {
        PeerPath path = new TcpCarrier(0, [TcpFlags.Default]).Open(_link, Addresses, fixedRouter: true);
        Assert.True(path.TakesMerged);
        path.Prepare();
        Assert.Equal(0, path.FrontRoom);
    }

    public void Dispose()
    {
        _link.Dispose();
        _first.Dispose();
        _second.Dispose();
    }
}
