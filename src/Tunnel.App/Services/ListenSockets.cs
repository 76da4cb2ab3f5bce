using System.Net;
using System.Net.Sockets;

namespace Tunnel.App.Services;

/// <summary>
/// Several sockets that listen on one address, each with a queue of its own: the kernel spreads connections over them, so that a storm
/// does not wait behind a single queue (SO_REUSEPORT).
/// </summary>
internal static class ListenSockets
{
    // From Linux's asm-generic/socket.h; the platform's ReuseAddress means something else on each system.
    private const int SolSocket = 1;
    private const int SoReusePort = 15;

    // An application that vanished without a word is noticed after two minutes.
    private const int KeepAliveIdle = 60;
    private const int KeepAliveInterval = 10;
    private const int KeepAliveProbes = 6;

    /// <param name="address">Port 0 is a free one, the same for all.</param>
    /// <param name="count">How many.</param>
    /// <param name="backlog">Connections that wait on each.</param>
    /// <exception cref="SocketException">The address is taken or not this host's; no socket is left open.</exception>
    public static Socket[] Open(IPEndPoint address, int count, int backlog)
    {
        var sockets = new List<Socket>(count);
        try
        {
            if (count > 1 && address.Port != 0)
                RefuseIfTaken(address);
            while (sockets.Count < count)
                sockets.Add(Bind(sockets.Count == 0 ? address : (IPEndPoint)sockets[0].LocalEndPoint!, shares: count > 1));
            // Only when all are bound: none should answer for an address that is not wholly this process's.
            sockets.ForEach(s => s.Listen(backlog));
            return [.. sockets];
        }
        catch
        {
            sockets.ForEach(s => s.Dispose());
            throw;
        }
    }

    /// <summary>Another process with SO_REUSEPORT would get half of the connections, and nobody would notice: asks without it.</summary>
    private static void RefuseIfTaken(IPEndPoint address)
    {
        using Socket probe = Bind(address, shares: false);
        probe.Listen(1);
    }

    /// <summary>What every connection inherits from the socket that it came in by.</summary>
    private static void SetUp(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveIdle);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveInterval);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveProbes);
    }

    private static Socket Bind(IPEndPoint address, bool shares)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = address.Address.Equals(IPAddress.IPv6Any);
            if (shares)
                socket.SetRawSocketOption(SolSocket, SoReusePort, BitConverter.GetBytes(1));
            SetUp(socket);
            socket.Bind(address);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
