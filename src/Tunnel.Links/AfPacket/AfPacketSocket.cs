using System.Buffers.Binary;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.AfPacket;

/// <summary>Opens a packet socket as <see cref="AfPacketOptions"/> say.</summary>
internal static unsafe class AfPacketSocket
{
    // struct sockaddr_ll: family 2 | protocol 2 | interface 4 | hardware type 2 | packet type 1 | address length 1 | address 8.
    private const int AddressLength = 20;
    private const int ProtocolOffset = 2;
    private const int InterfaceOffset = 4;
    private const int HardwareTypeOffset = 8;

    internal static int Open(AfPacketOptions options, int interfaceIndex)
    {
        // Without a protocol the socket receives nothing until it is bound: no frame slips in before the filter is there.
        int descriptor = Libc.Socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (descriptor < 0)
            throw Refused(options, "a packet socket", Libc.LastError);
        try
        {
            Configure(descriptor, options);
            Bind(descriptor, options, interfaceIndex);
            return descriptor;
        }
        catch
        {
            _ = Libc.Close(descriptor);
            throw;
        }
    }

    /// <summary>A socket that sees both directions, with the kernel's times; promiscuous it is not.</summary>
    internal static int OpenTap(AfPacketOptions options, int interfaceIndex, bool portsOnly)
    {
        int descriptor = Libc.Socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (descriptor < 0)
            throw Refused(options, "a packet socket", Libc.LastError);
        try
        {
            if (!Libc.TrySetOption(descriptor, SOL_PACKET, PACKET_VNET_HDR, 1))
                throw Refused(options, "virtio headers", Libc.LastError);
            if (portsOnly)
                Attach(descriptor, options, PacketFilter.BuildTap(options.FirstPort, options.EffectiveLastPort));
            Libc.TrySetOption(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, 1);
            SetBuffer(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, options.ReceiveBufferBytes);
            Bind(descriptor, options, interfaceIndex);
            return descriptor;
        }
        catch
        {
            _ = Libc.Close(descriptor);
            throw;
        }
    }

    /// <summary>A socket that takes everything off an interface, whoever it is for, and puts frames on it.</summary>
    internal static int OpenBridge(AfPacketOptions options, int interfaceIndex)
    {
        int descriptor = Libc.Socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (descriptor < 0)
            throw Refused(options, "a packet socket", Libc.LastError);
        try
        {
            if (!Libc.TrySetOption(descriptor, SOL_PACKET, PACKET_VNET_HDR, 1))
                throw Refused(options, "virtio headers", Libc.LastError);

            // Without this what it sends would come back to it, and go round for ever.
            if (!Libc.TrySetOption(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1))
                throw Refused(options, "to ignore what it sends itself", Libc.LastError);
            SetBuffer(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, options.ReceiveBufferBytes);
            SetBuffer(descriptor, SO_SNDBUFFORCE, SO_SNDBUF, options.SendBufferBytes);
            Bind(descriptor, options, interfaceIndex);
            BecomePromiscuous(descriptor, options, interfaceIndex);
            return descriptor;
        }
        catch
        {
            _ = Libc.Close(descriptor);
            throw;
        }
    }

    /// <summary>struct packet_mreq: interface 4, type 2, address length 2, address 8. Ends with the socket.</summary>
    private static void BecomePromiscuous(int descriptor, AfPacketOptions options, int interfaceIndex)
    {
        int* request = stackalloc int[4];
        (request[0], request[1], request[2], request[3]) = (interfaceIndex, PACKET_MR_PROMISC, 0, 0);
        if (Libc.SetSocketOption(descriptor, SOL_PACKET, PACKET_ADD_MEMBERSHIP, request, 4 * sizeof(int)) != 0)
            throw Refused(options, "to take frames for others", Libc.LastError);
    }

    /// <summary>
    /// Joins sockets among which the kernel shares out the flows, by a hash of their addresses and ports; frames of one flow all go to one,
    /// as long as none joins or leaves. Returns the group for those that join later, or minus errno.
    /// </summary>
    /// <param name="descriptor">A bound socket.</param>
    /// <param name="group">Null makes a new group, with a number that no other process has.</param>
    internal static int Join(int descriptor, int? group)
    {
        // Not with rollover: a full queue's frames would go to a receiver that has other flows, out of order, when both are busiest.
        int flags = PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_IGNORE_OUTGOING | (group is null ? PACKET_FANOUT_FLAG_UNIQUEID : 0);
        if (!Libc.TrySetOption(descriptor, SOL_PACKET, PACKET_FANOUT, (group ?? 0) | (flags << 16)))
            return -Libc.LastError;
        int joined = 0;
        uint length = sizeof(int);
        return Libc.GetSocketOption(descriptor, SOL_PACKET, PACKET_FANOUT, &joined, &length) == 0 ? joined & ushort.MaxValue : -Libc.LastError;
    }

    /// <summary>The frames dropped since the last call, for the kernel begins anew each time.</summary>
    internal static uint TakeDrops(int descriptor)
    {
        uint* packetsAndDrops = stackalloc uint[2];
        uint length = 2 * sizeof(uint);
        return Libc.GetSocketOption(descriptor, SOL_PACKET, PACKET_STATISTICS, packetsAndDrops, &length) == 0 ? packetsAndDrops[1] : 0;
    }

    internal static LinkException Refused(AfPacketOptions options, string what, int error) => error is EPERM or EACCES
        ? new LinkException(
            LinkFault.Privilege,
            $"no permission to capture on {options.Interface}: CAP_NET_RAW is needed. Run as root, or with systemd's "
            + "AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN, or docker's --cap-add NET_RAW --cap-add NET_ADMIN, or once "
            + "`setcap cap_net_raw,cap_net_admin+ep` on the binary; network.link = \"udp\", at both ends, needs no privilege")
        : new LinkException(
            error is ENODEV or ENETDOWN ? LinkFault.Network : LinkFault.Other,
            $"the kernel refuses {what} on {options.Interface}: {Libc.Describe(error)}");

    private static void Configure(int descriptor, AfPacketOptions options)
    {
        if (!Libc.TrySetOption(descriptor, SOL_PACKET, PACKET_VNET_HDR, 1))
            throw Refused(options, "virtio headers", Libc.LastError);
        Attach(descriptor, options, PacketFilter.Build(options.FirstPort, options.EffectiveLastPort));

        // Linux before 4.20 shows the link its own frames, which the filter drops unless both ends use the same ports.
        Libc.TrySetOption(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
        SetBuffer(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, options.ReceiveBufferBytes);
        SetBuffer(descriptor, SO_SNDBUFFORCE, SO_SNDBUF, options.SendBufferBytes);
        if (options.BypassQueue && !Libc.TrySetOption(descriptor, SOL_PACKET, PACKET_QDISC_BYPASS, 1))
            throw Refused(options, "to send past the queue", Libc.LastError);
    }

    private static void Attach(int descriptor, AfPacketOptions options, FilterInstruction[] instructions)
    {
        fixed (FilterInstruction* first = instructions)
        {
            FilterProgram program = new() { Length = (ushort)instructions.Length, Instructions = first };
            if (Libc.SetSocketOption(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, (uint)sizeof(FilterProgram)) != 0)
                throw Refused(options, "the filter", Libc.LastError);
        }
    }

    /// <summary>As large as asked for where the process may, else as large as the system's limit lets it be.</summary>
    private static void SetBuffer(int descriptor, int force, int plain, int bytes)
    {
        if (!Libc.TrySetOption(descriptor, SOL_SOCKET, force, bytes))
            Libc.TrySetOption(descriptor, SOL_SOCKET, plain, bytes);
    }

    private static void Bind(int descriptor, AfPacketOptions options, int interfaceIndex)
    {
        byte* address = stackalloc byte[AddressLength];
        var bytes = new Span<byte>(address, AddressLength);
        bytes.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, AF_PACKET);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[ProtocolOffset..], ETH_P_ALL);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[InterfaceOffset..], interfaceIndex);
        if (Libc.Bind(descriptor, address, AddressLength) != 0)
            throw Refused(options, "to bind the socket", Libc.LastError);

        uint length = AddressLength;
        if (Libc.GetSocketName(descriptor, address, &length) != 0)
            throw Refused(options, "to name the socket", Libc.LastError);
        if (BinaryPrimitives.ReadUInt16LittleEndian(bytes[HardwareTypeOffset..]) is not (ARPHRD_ETHER or ARPHRD_LOOPBACK))
        {
            throw new LinkException(
                LinkFault.Network,
                $"{options.Interface} is not an Ethernet interface (its frames have no Ethernet header): choose another interface or the udp link");
        }
    }
}
