using System.Net;
using System.Net.Sockets;
using System.Text;
using Tunnel.Links.Host;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Udp;

/// <summary>Opens a UDP socket as <see cref="UdpOptions"/> say.</summary>
internal static unsafe class UdpSocket
{
    /// <summary>Returns the descriptor, and whether the socket speaks IPv6 (and, bound to any, IPv4 in mapped addresses).</summary>
    internal static (int Descriptor, bool V6) Open(UdpOptions options)
    {
        bool v6 = options.Address is null || options.Address.AddressFamily == AddressFamily.InterNetworkV6;
        IPAddress address = options.Address ?? IPAddress.IPv6Any;
        int descriptor = Create(v6);
        if (descriptor < 0 && Libc.LastError == EAFNOSUPPORT && options.Address is null)
        {
            // A host without IPv6: any address is any IPv4 address.
            v6 = false;
            address = IPAddress.Any;
            descriptor = Create(v6);
        }

        if (descriptor < 0)
            throw new LinkException(LinkFault.Other, $"cannot create a UDP socket: {Libc.Describe(Libc.LastError)}");
        try
        {
            Configure(descriptor, v6, options);
            Bind(descriptor, address, options.Port);
            return (descriptor, v6);
        }
        catch
        {
            _ = Libc.Close(descriptor);
            throw;
        }
    }

    internal static int LocalPort(int descriptor)
    {
        byte* address = stackalloc byte[SocketAddressBytes.V6Length];
        uint length = SocketAddressBytes.V6Length;
        return Libc.GetSocketName(descriptor, address, &length) == 0
            ? SocketAddressBytes.Port(new ReadOnlySpan<byte>(address, SocketAddressBytes.V6Length))
            : 0;
    }

    private static int Create(bool v6) => Libc.Socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    private static void Configure(int descriptor, bool v6, UdpOptions options)
    {
        SetBuffer(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, options.ReceiveBufferBytes);
        SetBuffer(descriptor, SO_SNDBUFFORCE, SO_SNDBUF, options.SendBufferBytes);
        if (v6)
            Libc.TrySetOption(descriptor, SOL_IPV6, IPV6_V6ONLY, 0);
        if (options.Interface is { } name)
            BindToInterface(descriptor, name);
        if (options.DoNotFragment)
            ForbidFragments(descriptor, v6);
        if (options.Dscp <= 0)
            return;

        // A dual-stack socket takes the traffic class from the one option for IPv6 and from the other for mapped addresses.
        int trafficClass = options.Dscp << 2;
        Libc.TrySetOption(descriptor, SOL_IP, IP_TOS, trafficClass);
        if (v6)
            Libc.TrySetOption(descriptor, SOL_IPV6, IPV6_TCLASS, trafficClass);
    }

    private static void BindToInterface(int descriptor, string name)
    {
        byte[] text = Encoding.UTF8.GetBytes(name + '\0');
        fixed (byte* first = text)
        {
            if (Libc.SetSocketOption(descriptor, SOL_SOCKET, SO_BINDTODEVICE, first, (uint)text.Length) == 0)
                return;
        }

        int error = Libc.LastError;
        throw error == EPERM
            ? new LinkException(LinkFault.Privilege, $"no permission to bind to interface {name}: before Linux 5.7 that takes CAP_NET_RAW")
            // Longer than any name is: no such device either.
            : new LinkException(LinkFault.Network, error is ENODEV or EINVAL
                ? $"there is no interface {name}; there are: {string.Join(", ", HostNetwork.Interfaces().Select(i => i.Name))}"
                : $"cannot bind to interface {name}: {Libc.Describe(error)}");
    }

    private static void ForbidFragments(int descriptor, bool v6)
    {
        Libc.TrySetOption(descriptor, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
        if (v6)
            Libc.TrySetOption(descriptor, SOL_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    }

    /// <summary>As large as asked for where the process may, else as large as the system's limit lets it be.</summary>
    private static void SetBuffer(int descriptor, int force, int plain, int bytes)
    {
        if (!Libc.TrySetOption(descriptor, SOL_SOCKET, force, bytes))
            Libc.TrySetOption(descriptor, SOL_SOCKET, plain, bytes);
    }

    private static void Bind(int descriptor, IPAddress address, int port)
    {
        byte* name = stackalloc byte[SocketAddressBytes.V6Length];
        int length = SocketAddressBytes.Write(address, port, new Span<byte>(name, SocketAddressBytes.V6Length));
        if (Libc.Bind(descriptor, name, (uint)length) == 0)
            return;

        int error = Libc.LastError;
        throw error switch
        {
            EADDRINUSE => new LinkException(
                LinkFault.PortInUse,
                $"UDP port {port} on {address} is taken: `ss -ulpn 'sport = :{port}'` shows by whom"),
            EADDRNOTAVAIL => new LinkException(
                LinkFault.Network,
                $"{address} is not an address of this host (`ip addr` lists them): correct it, or leave it out to listen on any"),
            EACCES => new LinkException(
                LinkFault.Privilege,
                $"no permission to listen on UDP port {port}: ports below 1024 need root or CAP_NET_BIND_SERVICE"),
            _ => new LinkException(LinkFault.Other, $"cannot bind to UDP {address} port {port}: {Libc.Describe(error)}"),
        };
    }
}
