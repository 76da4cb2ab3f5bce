namespace Tunnel.App.Diagnostics.Profiles.Nettrace;

/// <summary>What the blocks of a stream hold: kinds of events, stacks, events.</summary>
internal sealed class NettraceBlocks(INettraceSink sink)
{
    private const int CompressedHeaders = 1;

    private static readonly NettraceEventType Unknown = new("", 0, "");

    private readonly Dictionary<int, NettraceEventType> _types = [];

    public void Read(string name, ReadOnlySpan<byte> block)
    {
        switch (name)
        {
            case "MetadataBlock":
                ReadEvents(block, areTypes: true);
                break;
            case "EventBlock":
                ReadEvents(block, areTypes: false);
                break;
            case "StackBlock":
                ReadStacks(block);
                break;
            case "SPBlock":
                sink.OnStacksForgotten();
                break;
            default:
                // Blocks of a kind that is not known are there to be skipped.
                break;
        }
    }

    private void ReadEvents(ReadOnlySpan<byte> block, bool areTypes)
    {
        var cursor = new PayloadCursor(block);
        int headerLength = cursor.ReadInt16();
        if ((cursor.ReadInt16() & CompressedHeaders) == 0)
            throw new InvalidDataException("events with headers that are not compressed");
        cursor.Take(headerLength - 4);
        var header = new EventHeader();
        while (cursor.Left > 0)
        {
            header.Read(ref cursor);
            ReadOnlySpan<byte> payload = cursor.Take(header.PayloadLength);
            if (areTypes)
                AddType(payload);
            else
                sink.OnEvent(new NettraceEvent(_types.GetValueOrDefault(header.Type, Unknown), header.Thread, header.Stack, header.Time, payload));
        }
    }

    private void AddType(ReadOnlySpan<byte> payload)
    {
        var cursor = new PayloadCursor(payload);
        int type = cursor.ReadInt32();
        string provider = cursor.ReadText();
        int id = cursor.ReadInt32();
        _types[type] = new NettraceEventType(provider, id, cursor.ReadText());
    }

    private void ReadStacks(ReadOnlySpan<byte> block)
    {
        var cursor = new PayloadCursor(block);
        int first = cursor.ReadInt32();
        int count = cursor.ReadInt32();
        for (int i = 0; i < count; i++)
            sink.OnStack(first + i, cursor.Take(cursor.ReadInt32()));
    }

    /// <summary>An event's header: only what differs from the one before is written, and a byte of flags says what that is.</summary>
    private struct EventHeader
    {
        public int Type;
        public long Thread;
        public int Stack;
        public long Time;
        public int PayloadLength;

        public void Read(ref PayloadCursor cursor)
        {
            byte flags = cursor.ReadByte();
            if ((flags & 1) != 0)
                Type = (int)cursor.ReadVarint();
            if ((flags & 2) != 0)
                SkipCapture(ref cursor);
            if ((flags & 4) != 0)
                Thread = (long)cursor.ReadVarint();
            if ((flags & 8) != 0)
                Stack = (int)cursor.ReadVarint();
            // Since the event before; a block's first has the whole of it.
            Time += (long)cursor.ReadVarint();
            if ((flags & 16) != 0)
                cursor.Take(16);
            if ((flags & 32) != 0)
                cursor.Take(16);
            if ((flags & 128) != 0)
                PayloadLength = checked((int)cursor.ReadVarint());
        }

        /// <summary>Sequence number, capturing thread, processor: of no use here.</summary>
        private static void SkipCapture(ref PayloadCursor cursor)
        {
            cursor.ReadVarint();
            cursor.ReadVarint();
            cursor.ReadVarint();
        }
    }
}
