using System.Buffers.Binary;

namespace Tunnel.Protocol.Wire;

/// <summary>
/// A flow whose segments follow on from each other as TCP's do: contiguous sequence numbers, the peer's data acknowledged, one timestamp
/// a burst. Only such segments can be cut from one long frame by the kernel or the NIC, and merged again on the other side (segmentation
/// offload, GRO); paqet's pseudo-random numbers cannot. One owner at a time.
/// </summary>
public sealed class ContiguousFlow
{
    private const int SequenceOffset = 4;
    private const int AcknowledgmentOffset = 8;
    private const int FlagsOffset = 13;
    private const int ChecksumOffset = 16;
    private const int TimestampOffset = 24;
    private const byte PushAck = 0x18;

    private readonly HeaderTemplate _template;
    private uint _sequence;

    /// <param name="addresses">Who sends to whom.</param>
    /// <param name="dscp">The differentiated services code point, 0 to 63.</param>
    /// <param name="firstSequence">Where the sequence numbers begin.</param>
    public ContiguousFlow(FlowAddresses addresses, int dscp, uint firstSequence)
    {
        Addresses = addresses;
        _template = new HeaderTemplate(addresses, dscp, [0x01, 0x01, 0x08, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0]);
        _sequence = firstSequence;
    }

    public FlowAddresses Addresses { get; }

    /// <summary>Where the next segment begins.</summary>
    public uint Sequence => _sequence;

    /// <summary>Bytes in all headers: Ethernet 14, IP 20 or 40, TCP 32.</summary>
    public int HeaderLength => _template.Length;

    /// <summary>Writes the headers of one segment in front of its payload, with a complete checksum.</summary>
    /// <param name="frame">Room for the headers, then the payload.</param>
    /// <param name="acknowledgment">The peer's next sequence number.</param>
    /// <param name="timestamp">Milliseconds on the sender's clock.</param>
    /// <param name="echo">The peer's last timestamp.</param>
    public void Write(Span<byte> frame, uint acknowledgment, uint timestamp, uint echo)
    {
        Span<byte> tcp = Begin(frame, acknowledgment, timestamp, echo);
        uint sum = InternetChecksum.Sum(tcp, _template.PseudoHeaderSum + (uint)tcp.Length);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[ChecksumOffset..], InternetChecksum.Fold(sum));
    }

    /// <summary>
    /// Writes the headers of a long frame that will be cut into segments. Whoever cuts completes the checksums, from the pseudo-header's
    /// sum over the whole length, which is what the checksum field holds until then.
    /// </summary>
    /// <inheritdoc cref="Write"/>
    public void WriteMerged(Span<byte> frame, uint acknowledgment, uint timestamp, uint echo)
    {
        Span<byte> tcp = Begin(frame, acknowledgment, timestamp, echo);
        ushort complement = InternetChecksum.Fold(_template.PseudoHeaderSum + (uint)tcp.Length);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[ChecksumOffset..], (ushort)~complement);
    }

    private Span<byte> Begin(Span<byte> frame, uint acknowledgment, uint timestamp, uint echo)
    {
        Span<byte> tcp = _template.Begin(frame);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[SequenceOffset..], _sequence);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[AcknowledgmentOffset..], acknowledgment);
        // PSH belongs to a burst's end; whoever cuts a long frame sees to that.
        tcp[FlagsOffset] = PushAck;
        BinaryPrimitives.WriteUInt32BigEndian(tcp[TimestampOffset..], timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[(TimestampOffset + 4)..], echo);
        _sequence += (uint)(frame.Length - _template.Length);
        return tcp;
    }
}
