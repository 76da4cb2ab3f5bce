using System.Buffers.Binary;

namespace Tunnel.Protocol.Wire;

/// <summary>
/// A TCP segment without payload that opens, acknowledges or closes a flow (RFC 9293, 3.5 and 3.6). With SYN it has the options that
/// hosts send with one: MSS, SACK permitted, timestamps, window scale; else timestamps.
/// </summary>
/// <param name="Flags">A bitmask of <see cref="TcpFlags"/>.</param>
/// <param name="Sequence">Where the flow stands; SYN and FIN count as one byte.</param>
/// <param name="Acknowledgment">The peer's next sequence number; 0 without ACK.</param>
/// <param name="Timestamp">Milliseconds on the sender's clock.</param>
/// <param name="Echo">The peer's last timestamp.</param>
public readonly record struct ControlSegment(ushort Flags, uint Sequence, uint Acknowledgment, uint Timestamp, uint Echo)
{
    /// <summary>The longest frame that <see cref="Write"/> makes.</summary>
    public const int MaxLength = CraftedFlow.MaxHeaderLength;

    /// <summary>
    /// The window of every segment is 65535 times 2 to the power of this: 256 MiB, more than is ever in flight, so that a firewall which
    /// checks windows finds everything inside.
    /// </summary>
    private const byte WindowScale = 12;

    private const ushort MaximumSegmentV4 = 1460;
    private const ushort MaximumSegmentV6 = 1440;
    private const int SynTimestamps = 28;
    private const int PlainTimestamps = 24;

    private bool IsSyn => (Flags & TcpFlags.Syn) != 0;

    /// <summary>Writes the whole frame; returns its length.</summary>
    public int Write(Span<byte> frame, in FlowAddresses addresses, int dscp)
    {
        HeaderTemplate template = Template(addresses, dscp);
        Span<byte> tcp = template.Begin(frame[..template.Length]);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], Sequence);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], Acknowledgment);
        tcp[13] = (byte)Flags;
        int timestamps = IsSyn ? SynTimestamps : PlainTimestamps;
        BinaryPrimitives.WriteUInt32BigEndian(tcp[timestamps..], Timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[(timestamps + 4)..], Echo);
        uint sum = InternetChecksum.Sum(tcp, template.PseudoHeaderSum + (uint)tcp.Length);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], InternetChecksum.Fold(sum));
        return template.Length;
    }

    private HeaderTemplate Template(in FlowAddresses addresses, int dscp)
    {
        if (!IsSyn)
            return new HeaderTemplate(addresses, dscp, [1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0]);
        ushort segment = addresses.Source.IsIPv4 ? MaximumSegmentV4 : MaximumSegmentV6;
        return new HeaderTemplate(
            addresses, dscp, [2, 4, (byte)(segment >> 8), (byte)segment, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, WindowScale]);
    }
}
