using System.Text;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Host;

/// <summary>Quick questions about one interface by name, through ioctl. What cannot be asked is answered with the cautious value.</summary>
internal static unsafe class InterfaceProbe
{
    private const int RequestSize = 40;
    private const int UnionOffset = IFNAMSIZ;
    private const int WholeFrame = 65535;

    /// <summary>The interface's index, or 0 if there is none of that name.</summary>
    internal static int Index(string name) => Ask(name, SIOCGIFINDEX, out int index) ? index : 0;

    internal static bool IsUp(string name) => Ask(name, SIOCGIFFLAGS, out int flags) && (flags & IFF_UP) != 0;

    internal static bool IsLoopback(string name) => Ask(name, SIOCGIFFLAGS, out int flags) && (flags & IFF_LOOPBACK) != 0;

    /// <summary>The MTU, or 0 if the interface does not exist.</summary>
    internal static int Mtu(string name) => Ask(name, SIOCGIFMTU, out int mtu) ? mtu : 0;

    internal static InterfaceOffloads Offloads(string name) => new(
        AskEthtool(name, ETHTOOL_GGRO) is not 0,
        ((AskEthtool(name, ETHTOOL_GFLAGS) ?? 0) & ETH_FLAG_LRO) != 0,
        AskEthtool(name, ETHTOOL_GTSO) is not null and not 0);

    /// <summary>
    /// The capture length that holds every frame: 64 KiB when the kernel or the device merges received segments, else the MTU with room
    /// for headers and tags, and not less than 2048.
    /// </summary>
    internal static int AutomaticSnapLength(string name)
    {
        const int headersAndTags = 64;
        InterfaceOffloads offloads = Offloads(name);
        int mtu = Mtu(name);
        return offloads.Gro || offloads.Lro || mtu == 0 ? WholeFrame : Math.Clamp(mtu + headersAndTags, 2048, WholeFrame);
    }

    private static bool Ask(string name, uint request, out int value)
    {
        byte* argument = stackalloc byte[RequestSize];
        value = 0;
        if (!Name(name, argument) || !Control(request, argument))
            return false;

        // ifr_flags is a short, the others are ints.
        value = request == SIOCGIFFLAGS ? *(ushort*)(argument + UnionOffset) : *(int*)(argument + UnionOffset);
        return true;
    }

    private static uint? AskEthtool(string name, uint command)
    {
        uint* value = stackalloc uint[2];
        byte* argument = stackalloc byte[RequestSize];
        value[0] = command;
        value[1] = 0;
        if (!Name(name, argument))
            return null;
        *(uint**)(argument + UnionOffset) = value;
        return Control(SIOCETHTOOL, argument) ? value[1] : null;
    }

    private static bool Name(string name, byte* argument)
    {
        new Span<byte>(argument, RequestSize).Clear();
        if (Encoding.UTF8.GetByteCount(name) >= IFNAMSIZ)
            return false;
        Encoding.UTF8.GetBytes(name, new Span<byte>(argument, IFNAMSIZ));
        return true;
    }

    private static bool Control(uint request, byte* argument)
    {
        int socket = Libc.Socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (socket < 0)
            return false;
        int status = Libc.IoControl(socket, request, argument);
        _ = Libc.Close(socket);
        return status == 0;
    }
}

/// <summary>Which of the offloads that merge or cut segments are on. GRO counts as on when it cannot be asked.</summary>
public readonly record struct InterfaceOffloads(bool Gro, bool Lro, bool Tso);
