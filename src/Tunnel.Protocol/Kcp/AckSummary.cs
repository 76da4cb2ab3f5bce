namespace Tunnel.Protocol.Kcp;

/// <summary>What the acknowledgements of one datagram say together.</summary>
internal struct AckSummary
{
    /// <summary>The newest transmission that arrived, by its order; 0 when that is not known.</summary>
    public ulong NewestOrder { get; private set; }

    /// <summary>The newest timestamp that was echoed, if <see cref="HasEcho"/>.</summary>
    public uint NewestEcho { get; private set; }

    public bool HasEcho { get; private set; }

    /// <summary>By how many segments una went on.</summary>
    public int Advanced { get; private set; }

    /// <summary>
    /// Segments sent again, or once more, of which the second transmission was acknowledged, not the first, so that one was lost (Eifel, RFC 3522).
    /// </summary>
    public int Lost { get; private set; }

    /// <summary>A transmission of this end was echoed: the peer has the same key, and is where its datagrams say it is.</summary>
    public bool EchoesTransmission { get; private set; }

    /// <summary>
    /// The peer says that it has something in order that it had not before. One that has forgotten the conversation, and keeps what comes
    /// until the beginning comes, acknowledges too, but never that.
    /// </summary>
    public bool Confirms { get; private set; }

    public void OnAck(in KcpSegment ack, SendWindow sent)
    {
        // What says nothing new may be anybody's who repeats what the peer once said; it must not pass for a sign of life or a round trip.
        if (!sent.Contains(ack.Number) || sent[ack.Number].State == SendWindow.SlotState.Acknowledged)
            return;
        if (!HasEcho || (int)(ack.Timestamp - NewestEcho) > 0)
            NewestEcho = ack.Timestamp;
        HasEcho = true;
        ref SendWindow.Slot slot = ref sent[ack.Number];
        EchoesTransmission |= slot.IsEchoedBy(ack.Timestamp);
        // The echo tells which transmission arrived; an older one says nothing about the order of the newest.
        if (slot.State == SendWindow.SlotState.InFlight && slot.IsEchoedBy(ack.Timestamp))
        {
            NewestOrder = Math.Max(NewestOrder, slot.Order);
            Lost += slot.Transmissions > 1 || slot.IsOfCopy(ack.Timestamp) ? 1 : 0;
        }

        sent.Acknowledge(ack.Number);
    }

    public void OnUnacknowledged(uint una, SendWindow sent)
    {
        // A number beyond what was sent is a lie; it must not acknowledge anything.
        if ((int)(una - sent.First) <= 0 || (int)(una - sent.Next) > 0)
            return;
        for (uint number = sent.First; number != una; number++)
            sent.Acknowledge(number);
        Confirms = true;
        // At once: each of a datagram's segments says una, and the next one must not walk the same numbers again.
        Advance(sent);
    }

    /// <summary>Moves on over what has been acknowledged one by one.</summary>
    public void Advance(SendWindow sent) => Advanced += sent.Advance();
}
