namespace Tunnel.Protocol.Wire;

/// <summary>
/// Bits of a TCP header's flags (RFC 9293, 3.1, and RFC 3540 for NS), as the low nine bits of the header's bytes 12 and 13. The same
/// numbers travel in the paqet wire format's list of flags.
/// </summary>
public static class TcpFlags
{
    public const ushort Fin = 0x001;
    public const ushort Syn = 0x002;
    public const ushort Rst = 0x004;
    public const ushort Psh = 0x008;
    public const ushort Ack = 0x010;
    public const ushort Urg = 0x020;
    public const ushort Ece = 0x040;
    public const ushort Cwr = 0x080;
    public const ushort Ns = 0x100;

    /// <summary>All nine.</summary>
    public const ushort All = 0x1FF;

    /// <summary>What a segment wears when nothing else was configured.</summary>
    public const ushort Default = Psh | Ack;
}
