using Tunnel.Protocol.Mux;

namespace Tunnel.Tests.Mux;

public class PeerWindowTests
{
    private const long FourGiB = 1L << 32;

    [Theory]
    [InlineData(0, 0u, 1000u, 1000)]
    [InlineData(400, 0u, 1000u, 600)]
    [InlineData(1000, 0u, 1000u, 0)]
    [InlineData(1500, 0u, 1000u, 0)] // the window has become smaller
    [InlineData(400, 300u, 1000u, 900)]
    [InlineData(400, 401u, 1000u, 0)] // more than was sent
    [InlineData(400, 400u, uint.MaxValue, int.MaxValue)]
    [InlineData(FourGiB + 100, 100u, 1000u, 1000)]
    [InlineData(FourGiB + 100, uint.MaxValue - 99, 1000u, 800)] // it counts up to 2^32 and has not come round yet
    [InlineData(FourGiB - 100, 100u, 1000u, 0)]
    public void WhatMayBeSent(long sent, uint consumed, uint size, int expected)
    {
        var window = new PeerWindow();
        Assert.Equal(MuxSession.InitialWindow, window.Room(0));
        window.Update(consumed, size);
        Assert.Equal(expected, window.Room(sent));
    }
}
