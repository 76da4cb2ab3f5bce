using System.Buffers.Binary;
using System.Text;
using Tunnel.Links.Host.Netlink;
using Tunnel.Links.Native;
using static Tunnel.Links.Host.Ethtool.EthtoolNumbers;

namespace Tunnel.Links.Host.Ethtool;

/// <summary>
/// Asks for a card's coalescing by generic netlink, which leaves out what the driver has not; the older ioctl says 0 for it, and refuses
/// a whole change that names it.
/// </summary>
internal static class CoalescingQuery
{
    private const int NETLINK_GENERIC = 16;
    private const ushort GENL_ID_CTRL = 16;
    private const byte CTRL_CMD_GETFAMILY = 3;
    private const ushort CTRL_ATTR_FAMILY_ID = 1;
    private const ushort CTRL_ATTR_FAMILY_NAME = 2;
    private const ushort NLA_F_NESTED = 0x8000;

    /// <summary>struct genlmsghdr: command, version, two bytes of nothing.</summary>
    private const int HeaderLength = 4;

    /// <summary>What the driver has, or the errno with which it was refused; ENOENT from a kernel older than 5.6, which cannot be asked so.</summary>
    internal static (NicCoalescing? Value, int Error) Ask(string name)
    {
        try
        {
            using var socket = new NetlinkSocket(0, NETLINK_GENERIC);
            ushort family = 0;
            NetlinkRequest who = Request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY).Add(CTRL_ATTR_FAMILY_NAME, "ethtool\0"u8);
            int error = socket.Ask(who, dump: false, (_, body) => family = Family(body));
            if (error != 0 || family == 0)
                return (null, error != 0 ? error : Linux.ENOENT);
            NicCoalescing? answer = null;
            NetlinkRequest what = Request(family, ETHTOOL_MSG_COALESCE_GET).Add(ETHTOOL_A_COALESCE_HEADER | NLA_F_NESTED, Device(name));
            error = socket.Ask(what, dump: false, (_, body) => answer = Parse(body));
            return (answer, error);
        }
        catch (LinkException)
        {
            return (null, Linux.ENOENT);
        }
    }

    /// <summary>The number that the kernel gave a family at its start; 0 when it is not in the answer.</summary>
    internal static ushort Family(ReadOnlySpan<byte> body)
    {
        var reader = new AttributeReader(body.Length < HeaderLength ? [] : body[HeaderLength..]);
        while (reader.MoveNext())
        {
            if (reader.Type == CTRL_ATTR_FAMILY_ID && reader.Value.Length >= sizeof(ushort))
                return BinaryPrimitives.ReadUInt16LittleEndian(reader.Value);
        }

        return 0;
    }

    /// <summary>What is not in the answer the driver has not.</summary>
    internal static NicCoalescing Parse(ReadOnlySpan<byte> body)
    {
        var found = new NicCoalescing(null, null, null);
        var reader = new AttributeReader(body.Length < HeaderLength ? [] : body[HeaderLength..]);
        while (reader.MoveNext())
        {
            found = reader.Type switch
            {
                ETHTOOL_A_COALESCE_RX_USECS => found with { RxUsecs = reader.Number },
                ETHTOOL_A_COALESCE_RX_MAX_FRAMES => found with { RxFrames = reader.Number },
                ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX => found with { AdaptiveRx = !reader.Value.IsEmpty && reader.Value[0] != 0 },
                _ => found,
            };
        }

        return found;
    }

    private static NetlinkRequest Request(ushort type, byte command) => new(type, 0, [command, 1, 0, 0]);

    /// <summary>The one attribute of the header: the interface's name. A name that is too long is no device's.</summary>
    private static byte[] Device(string name)
    {
        byte[] text = Encoding.UTF8.GetBytes(name.Length < Linux.IFNAMSIZ ? name + '\0' : "\0");
        var attribute = new byte[4 + text.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(attribute, (ushort)attribute.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(attribute.AsSpan(2), ETHTOOL_A_HEADER_DEV_NAME);
        text.CopyTo(attribute, 4);
        return attribute;
    }
}
