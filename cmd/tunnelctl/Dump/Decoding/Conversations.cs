using Tunnel.Protocol.Wire;

namespace Tunnel.Ctl.Dump.Decoding;

/// <summary>What is remembered of conversations, both directions together. Bounded: the one longest not heard of is forgotten.</summary>
internal sealed class Conversations
{
    private const int Maximum = 128;

    private readonly Dictionary<Key, Conversation> _known = [];
    private long _clock;

    /// <summary>The direction from <paramref name="source"/>, and the one back.</summary>
    public (HalfConversation There, HalfConversation Back) Find(Endpoint source, Endpoint destination, uint conv)
    {
        bool turned = Compare(source, destination) > 0;
        Key key = turned ? new Key(destination, source, conv) : new Key(source, destination, conv);
        if (!_known.TryGetValue(key, out Conversation? found))
            _known[key] = found = Create();
        found.LastUse = ++_clock;
        return turned ? (found.Second, found.First) : (found.First, found.Second);
    }

    private Conversation Create()
    {
        if (_known.Count >= Maximum)
            _known.Remove(_known.MinBy(k => k.Value.LastUse).Key);
        var notes = new StreamNotes();
        return new Conversation(new HalfConversation(notes, true), new HalfConversation(notes, false));
    }

    // Any order will do, as long as both directions see the same.
    private static int Compare(Endpoint a, Endpoint b) => string.CompareOrdinal(a.ToString(), b.ToString());

    private readonly record struct Key(Endpoint Lower, Endpoint Upper, uint Conv);

    private sealed record Conversation(HalfConversation First, HalfConversation Second)
    {
        public long LastUse { get; set; }
    }

    /// <summary>One direction: its segments in order, its frames.</summary>
    internal sealed class HalfConversation(StreamNotes notes, bool first)
    {
        public SegmentOrder Order { get; } = new();

        public MuxDecoder Mux { get; } = new(notes, first);

        /// <summary>Everything that is in order by now, into frames.</summary>
        public void Deliver(List<DumpedMuxFrame> frames)
        {
            while (Order.TryTake(out uint number, out byte[] data, out bool gap))
                Mux.Feed(number, data, gap, frames);
        }
    }
}
