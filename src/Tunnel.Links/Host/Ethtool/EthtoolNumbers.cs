namespace Tunnel.Links.Host.Ethtool;

/// <summary>ethtool's numbers, named as in the kernel's header.</summary>
internal static class EthtoolNumbers
{
    internal const uint ETHTOOL_GDRVINFO = 0x03;
    internal const uint ETHTOOL_GCOALESCE = 0x0E;
    internal const uint ETHTOOL_SCOALESCE = 0x0F;
    internal const uint ETHTOOL_GRINGPARAM = 0x10;
    internal const uint ETHTOOL_SRINGPARAM = 0x11;
    internal const uint ETHTOOL_GSTRINGS = 0x1B;
    internal const uint ETHTOOL_GSTATS = 0x1D;
    internal const uint ETHTOOL_GGSO = 0x23;
    internal const uint ETHTOOL_GRXFHINDIR = 0x38;
    internal const uint ETHTOOL_GCHANNELS = 0x3C;
    internal const uint ETH_SS_STATS = 1;

    internal const byte ETHTOOL_MSG_COALESCE_GET = 19;
    internal const ushort ETHTOOL_A_HEADER_DEV_NAME = 2;
    internal const ushort ETHTOOL_A_COALESCE_HEADER = 1;
    internal const ushort ETHTOOL_A_COALESCE_RX_USECS = 2;
    internal const ushort ETHTOOL_A_COALESCE_RX_MAX_FRAMES = 3;
    internal const ushort ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX = 11;

    /// <summary>Bytes of each name in ETHTOOL_GSTRINGS.</summary>
    internal const int ETH_GSTRING_LEN = 32;
}
