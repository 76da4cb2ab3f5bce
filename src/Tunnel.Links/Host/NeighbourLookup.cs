using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using Tunnel.Links.Host.Netlink;
using Tunnel.Links.Native;

namespace Tunnel.Links.Host;

/// <summary>A neighbour's MAC from the kernel's table, which is made to ask for it when it does not know.</summary>
internal static class NeighbourLookup
{
    private const int PollMilliseconds = 10;
    private const int DiscardPort = 9;
    private const long ProvokeAgainMilliseconds = 500;

    /// <summary>The MAC, or null if it is not known within that time.</summary>
    internal static PhysicalAddress? Find(NetlinkQueries kernel, string interfaceName, int index, IPAddress address, int waitMilliseconds)
    {
        var clock = Stopwatch.StartNew();
        long provokeAt = 0;
        while (true)
        {
            if (kernel.Neighbour(index, address) is { IsUsable: true } entry)
            {
                // Frames of our own making do not refresh the kernel's entry. A stale one is probably right; have it looked at.
                if (entry.State == Rtnetlink.NUD_STALE)
                    Provoke(interfaceName, address);
                return entry.Mac;
            }

            if (clock.ElapsedMilliseconds >= provokeAt)
            {
                Provoke(interfaceName, address);
                provokeAt = clock.ElapsedMilliseconds + ProvokeAgainMilliseconds;
            }

            if (clock.ElapsedMilliseconds >= waitMilliseconds)
                return null;
            Thread.Sleep(PollMilliseconds);
        }
    }

    /// <summary>Sends one empty datagram to the discard port, for which the kernel has to find the neighbour.</summary>
    private static void Provoke(string interfaceName, IPAddress address)
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.SetRawSocketOption(Linux.SOL_SOCKET, Linux.SO_BINDTODEVICE, Encoding.UTF8.GetBytes(interfaceName + "\0"));
            socket.SendTo([], new IPEndPoint(address, DiscardPort));
        }
        catch (SocketException)
        {
            // No route, no permission, a firewall: then the table stays as it is, which the caller reports.
        }
    }
}
