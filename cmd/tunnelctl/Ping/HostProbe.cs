using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Tunnel.Ctl.Ping;

/// <summary>What the server's host says outside of the tunnel, asked only when the tunnel itself is silent.</summary>
internal static class HostProbe
{
    private const int Attempts = 2;
    private const int TimeoutMilliseconds = 1000;

    /// <summary>Whether the host answers an echo request; null when none can be sent.</summary>
    public static async Task<bool?> EchoesAsync(IPAddress host)
    {
        try
        {
            using var ping = new System.Net.NetworkInformation.Ping();
            for (int i = 0; i < Attempts; i++)
            {
                if ((await ping.SendPingAsync(host, TimeoutMilliseconds).ConfigureAwait(false)).Status == IPStatus.Success)
                    return true;
            }

            return false;
        }
        catch (Exception e) when (e is PingException or PlatformNotSupportedException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether the host, or a firewall in its name, says that the UDP port is unreachable: only a connected socket is told, and only once it
    /// asks again. Hosts say so a few times a second at most, so silence here proves nothing.
    /// </summary>
    public static async Task<bool> RefusesUdpAsync(IPEndPoint server)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            await socket.ConnectAsync(server).ConfigureAwait(false);
            // Too short for anything: whoever listens drops it.
            await socket.SendAsync(new byte[1]).ConfigureAwait(false);
            using var patience = new CancellationTokenSource(TimeoutMilliseconds);
            await socket.ReceiveAsync(new byte[1], patience.Token).ConfigureAwait(false);
            return false;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionRefused;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
