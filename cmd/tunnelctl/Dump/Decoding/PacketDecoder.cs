using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.Ctl.Dump.Decoding;

/// <summary>From frames to the tunnel's datagrams, segments and smux frames, as far as the keys go.</summary>
/// <param name="keys">Tried in turn; without any, only what is not encrypted can be read.</param>
internal sealed class PacketDecoder(IReadOnlyList<TunnelKey> keys)
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly Conversations _conversations = new();

    public DumpedPacket Decode(CapturedFrame frame)
    {
        ReadOnlySpan<byte> bytes = frame.Bytes.Span;
        string headline = FramePrinter.Print(bytes);
        if (!Transport.TryParse(bytes, out Transport transport))
            return new DumpedPacket(frame, headline, null, null, 0, []);
        List<DumpedDatagram> datagrams = [];
        ReadOnlySpan<byte> payload = bytes[transport.Payload];
        if (!payload.IsEmpty)
            Split(frame, transport, payload, datagrams);
        return new DumpedPacket(frame, headline, transport.Source, transport.Destination, transport.TcpFlags, datagrams);
    }

    private void Split(CapturedFrame frame, Transport transport, ReadOnlySpan<byte> payload, List<DumpedDatagram> into)
    {
        string refusal = "";
        foreach (TunnelKey key in keys)
        {
            if (key.Guard is not { } guard)
                continue;
            guard.Refresh(Math.Max(0, frame.Time / NanosecondsPerSecond));
            GuardSplitter parts = guard.Split(payload);
            if (parts.Verdict == GuardVerdict.Pass)
            {
                foreach (ReadOnlySpan<byte> part in parts)
                    into.Add(Open(transport, part));
                return;
            }

            if (key.GuardIsCertain || parts.Verdict == GuardVerdict.BadCookie)
                refusal = parts.Verdict.ToString();
        }

        if (refusal.Length != 0 && keys.All(k => k.Guard is not null))
            into.Add(new DumpedDatagram(payload.Length, DatagramState.Guard, refusal));
        else
            SplitByLength(transport, payload, frame.SegmentLength, into);
    }

    private void SplitByLength(Transport transport, ReadOnlySpan<byte> payload, int segmentLength, List<DumpedDatagram> into)
    {
        while (segmentLength > 0 && payload.Length > segmentLength)
        {
            into.Add(Open(transport, payload[..segmentLength]));
            payload = payload[segmentLength..];
        }

        into.Add(Open(transport, payload));
    }

    private DumpedDatagram Open(Transport transport, ReadOnlySpan<byte> datagram)
    {
        foreach (TunnelKey key in keys)
        {
            if (key.TryOpen(datagram, out ReadOnlySpan<byte> payload, out string cipher))
                return ReadPayload(transport, datagram.Length, payload, cipher);
        }

        return new DumpedDatagram(datagram.Length, DatagramState.Sealed, "");
    }

    private DumpedDatagram ReadPayload(Transport transport, int length, ReadOnlySpan<byte> payload, string cipher)
    {
        if (Datagram.Classify(payload) == DropReason.Fec)
            return new DumpedDatagram(length, DatagramState.Fec, cipher);
        if (!TunnelKey.IsChain(payload))
            return new DumpedDatagram(length, DatagramState.Malformed, cipher);
        var dumped = new DumpedDatagram(length, DatagramState.Open, cipher);
        while (KcpSegment.TryRead(payload, out KcpSegment segment))
        {
            ReadOnlySpan<byte> data = payload.Slice(KcpSegment.HeaderLength, (int)segment.Length);
            dumped.Segments.Add(ReadSegment(transport, segment, data));
            payload = payload[(KcpSegment.HeaderLength + (int)segment.Length)..];
        }

        return dumped;
    }

    private DumpedSegment ReadSegment(Transport transport, KcpSegment segment, ReadOnlySpan<byte> data)
    {
        (Conversations.HalfConversation there, Conversations.HalfConversation back) =
            _conversations.Find(transport.Source, transport.Destination, segment.Conv);
        back.Order.PeerHas(segment.Unacknowledged);
        SegmentPlace place = SegmentPlace.None;
        if (segment.Command == KcpCommand.Push)
            place = there.Order.Add(segment.Number, data);
        var dumped = new DumpedSegment(segment, place, there.Order.Next ?? 0);
        if (place == SegmentPlace.Next || place == SegmentPlace.Waits)
            there.Deliver(dumped.Frames);
        return dumped;
    }
}
