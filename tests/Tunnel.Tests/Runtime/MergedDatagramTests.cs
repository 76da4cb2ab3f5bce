using System.Net;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Links;
using Tunnel.Links.Udp;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Runtime;

/// <summary>Datagrams that the kernel merged are judged each by itself, with a guard and without.</summary>
public sealed class MergedDatagramTests : IDisposable
{
    private const int Count = 30;
    private const int DatagramLength = 500;

    private readonly DeadlineLoop _deadlines = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OneThatIsJunkTakesNoOtherWithIt(bool guarded)
    {
        SessionFactory factory = Factory(guarded);
        UdpLink link = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback });
        var standing = new ReplaceableLink(link);
        using var server = new ServerReceiver(standing, new ServerSessions(factory, new DatagramCarrier(), standing, _deadlines, () => 10));
        using UdpLink peer = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback });

        // They lie there together before anybody looks. The first is a stranger's; the others say nothing that anybody could open.
        byte[] run = new byte[Count * DatagramLength];
        for (int i = 1; i < Count; i++)
            factory.Stamp?.Write(run.AsSpan(i * DatagramLength, Guard.PrefixLength));
        Assert.Equal(Count, peer.Send(run, DatagramLength, new IPEndPoint(IPAddress.Loopback, link.LocalPort).Serialize().Buffer.Span));
        server.Start();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (server.GetDrops(DropReason.Guard) + server.GetDrops(DropReason.Cipher) < Count)
            await Task.Delay(5, limit.Token);

        Assert.Equal(guarded ? 1 : 0, server.GetDrops(DropReason.Guard));
        Assert.Equal(guarded ? Count - 1 : Count, server.GetDrops(DropReason.Cipher));
        server.Dispose();
        var totals = new LinkTotals();
        server.AddTo(totals);
        Assert.Equal((1L, (long)Count), (totals.Merged.Counts.Sum(), totals.Merged.Sum));
        Assert.Equal(guarded ? Count - 1 : 0, totals.GuardPassed);
        Assert.Equal(Count, totals.Counters.PacketsIn);
    }

    public void Dispose() => _deadlines.Dispose();

    private static SessionFactory Factory(bool guarded) => new(
        "aes-128-gcm",
        KeyDerivation.Paqet("k"),
        new KcpOptions(),
        new MuxOptions(),
        mtu: 1350,
        guarded ? new GuardSettings(Guard.DeriveKey("k"), [1, 2, 3, 4], 30, 1) : null,
        admission: null);
}
