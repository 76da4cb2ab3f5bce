using System.Net;
using System.Net.Sockets;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Harness;

/// <summary>A SOCKS5 client's UDP association; it lasts until it is disposed.</summary>
internal sealed class SocksAssociation : IDisposable
{
    private readonly Socket _control;

    private SocksAssociation(Socket control, IPEndPoint relay) => (_control, Relay) = (control, relay);

    /// <summary>Where datagrams go.</summary>
    public IPEndPoint Relay { get; }

    public static async Task<SocksAssociation> OpenAsync(int proxyPort)
    {
        Socket control = await SocksClient.ConnectDirectlyAsync(proxyPort);
        await control.SendAllAsync(new byte[] { 5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0 });
        byte[] answer = await control.ReceiveExactlyAsync(12);
        Assert.Equal(SocksClient.Succeeded, answer[3]);
        return new SocksAssociation(control, new IPEndPoint(new IPAddress(answer.AsSpan(6, 4)), answer[10] << 8 | answer[11]));
    }

    /// <summary>What stands in front of a datagram to an IPv4 address.</summary>
    public static byte[] Header(IPAddress address, int port) =>
        [0, 0, 0, 1, .. address.GetAddressBytes(), (byte)(port >> 8), (byte)port];

    public void Dispose() => _control.Dispose();
}
