using System.Net;
using System.Net.Sockets;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Runtime;

/// <summary>What the policy denies is not connected to, whatever it is called.</summary>
public class DialerTests
{
    private static readonly TargetPolicy NoLoopback = new(
        [],
        [
            TargetRule.OfNetwork(IPNetwork.Parse("127.0.0.0/8"), 1, 65535),
            TargetRule.OfNetwork(IPNetwork.Parse("::1/128"), 1, 65535),
            TargetRule.OfName("denied.invalid", 1, 65535),
        ]);

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("127.1")]
    [InlineData("0x7f000001")]
    [InlineData("2130706433")]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("::ffff:0.0.0.0")]
    [InlineData("0")]
    [InlineData("localhost")]
    [InlineData("denied.invalid")]
    public async Task DeniedTargets(string host)
    {
        using Socket listener = Listen(out ushort port);
        var dialer = new Dialer(() => new DialRules(TimeSpan.FromMinutes(1), NoLoopback));
        await Assert.ThrowsAsync<TargetDeniedException>(
            () => dialer.DialAsync(new Target(host, port), TestContext.Current.CancellationToken).AsTask());
        Assert.False(listener.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task OthersAreConnectedTo()
    {
        using Socket listener = Listen(out ushort port);
        var dialer = new Dialer(() => new DialRules(TimeSpan.FromMinutes(1), TargetPolicy.Everything));
        using TcpSocket socket = await dialer.DialAsync(new Target("127.0.0.1", port), TestContext.Current.CancellationToken);
        Assert.Equal(port, socket.RemoteEndPoint!.Port);
    }

    /// <summary>As IPv6 is where there is an address and no way.</summary>
    [Fact]
    public async Task AnAddressThatSwallowsEverythingDoesNotKeepFromTheNext()
    {
        using Socket answers = Listen(out ushort port);
        using var swallows = new Swallower(new IPEndPoint(IPAddress.Parse("127.0.0.2"), port));
        Dialer dialer = Resolving(swallows.Address, IPAddress.Loopback);
        using TcpSocket socket = await dialer.DialAsync(new Target("two.invalid", port), TestContext.Current.CancellationToken);
        Assert.Equal(IPAddress.Loopback, socket.RemoteEndPoint!.Address);
    }

    [Fact]
    public async Task AnAddressThatRefusesGivesWayToTheNext()
    {
        using Socket answers = Listen(out ushort port);
        Dialer dialer = Resolving(IPAddress.Parse("127.0.0.2"), IPAddress.Loopback);
        using TcpSocket socket = await dialer.DialAsync(new Target("two.invalid", port), TestContext.Current.CancellationToken);
        Assert.Equal(IPAddress.Loopback, socket.RemoteEndPoint!.Address);
    }

    [Fact]
    public async Task WhereAllRefuseTheRefusalIsTold()
    {
        ushort port;
        using (Listen(out port))
        {
            // Nobody has it from now on.
        }

        Dialer dialer = Resolving(IPAddress.Parse("127.0.0.2"), IPAddress.Loopback);
        var e = await Assert.ThrowsAsync<SocketException>(
            () => dialer.DialAsync(new Target("two.invalid", port), TestContext.Current.CancellationToken).AsTask());
        Assert.Equal(DialResult.Refused, Dialer.ResultOf(e));
    }

    [Fact]
    public async Task WhereNoneAnswersTheTimeRunsOut()
    {
        using var one = new Swallower(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
        using var other = new Swallower(new IPEndPoint(IPAddress.Parse("127.0.0.3"), one.Port));
        Dialer dialer = Resolving(one.Address, other.Address);
        await Assert.ThrowsAsync<TimeoutException>(
            () => dialer.DialAsync(new Target("two.invalid", one.Port), TestContext.Current.CancellationToken).AsTask());
    }

    private static Dialer Resolving(params IPAddress[] addresses) =>
        new(() => new DialRules(TimeSpan.FromSeconds(5), TargetPolicy.Everything)) { Resolver = (_, _) => Task.FromResult(addresses) };

    private static Socket Listen(out ushort port)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        port = (ushort)((IPEndPoint)listener.LocalEndPoint!).Port;
        return listener;
    }
}
