using System.Globalization;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Ctl.Dump.Decoding;

/// <summary>
/// What a conversation's streams ask for, from the first bytes of those whose opening was seen. Bounded: beyond a number of streams
/// the oldest are forgotten.
/// </summary>
internal sealed class StreamNotes
{
    private const int MaximumStreams = 4096;

    private readonly Dictionary<uint, Note> _streams = [];
    private readonly Queue<uint> _order = new();

    /// <summary>A frame begins.</summary>
    public void OnFrame(DumpedMuxFrame dumped, bool fromOpener)
    {
        uint id = dumped.Frame.StreamId;
        if (dumped.Frame.Command == MuxCommand.Open)
            Open(id, fromOpener);
        else if (_streams.TryGetValue(id, out Note? note))
            dumped.Note = note.Target;
    }

    /// <summary>Bytes of a frame's data.</summary>
    public void OnData(DumpedMuxFrame dumped, ReadOnlySpan<byte> data, bool fromOpener)
    {
        if (dumped.Frame.Command != MuxCommand.Data || !_streams.TryGetValue(dumped.Frame.StreamId, out Note? note))
            return;
        string said = note.OpenedByThis == fromOpener ? note.Request.Read(data) : note.Answer(data);
        if (note.OpenedByThis == fromOpener && said.Length != 0)
            note.Target = said;
        if (said.Length != 0)
            dumped.Note = said;
    }

    private void Open(uint id, bool fromOpener)
    {
        if (!_streams.TryAdd(id, new Note(fromOpener)))
            _streams[id] = new Note(fromOpener);
        else
            _order.Enqueue(id);
        if (_order.Count > MaximumStreams)
            _streams.Remove(_order.Dequeue());
    }

    private sealed class Note(bool openedByThis)
    {
        private readonly HeaderCollector _response = new();
        private bool _answered;

        public bool OpenedByThis => openedByThis;

        public HeaderCollector Request { get; } = new();

        public string Target { get; set; } = "";

        /// <summary>The other side's first bytes mean something only where the request says so.</summary>
        public string Answer(ReadOnlySpan<byte> data)
        {
            switch (Request.Header?.Request)
            {
                case StreamRequest.Ping or StreamRequest.Capabilities:
                    return _response.Read(data);
                case StreamRequest.Dial when !_answered && !data.IsEmpty:
                    _answered = true;
                    return $"{Target}: {((DialResult)data[0]).ToString().ToLowerInvariant()}";
                default:
                    return "";
            }
        }
    }

    /// <summary>A header from as many pieces as it comes in.</summary>
    private sealed class HeaderCollector
    {
        private byte[] _bytes = [];
        private bool _finished;

        public StreamHeader? Header { get; private set; }

        /// <summary>What the header says, once with its last byte; else nothing.</summary>
        public string Read(ReadOnlySpan<byte> data)
        {
            if (_finished)
                return "";
            _bytes = [.. _bytes, .. data[..Math.Min(data.Length, StreamHeader.MaximumLength - _bytes.Length)]];
            HeaderStatus status = StreamHeaderReader.TryRead(_bytes, out StreamHeader? header, out _, out _);
            _finished = status != HeaderStatus.Incomplete || _bytes.Length == StreamHeader.MaximumLength;
            if (_finished)
                _bytes = [];
            Header = header;
            return header is null ? "" : Describe(header);
        }

        private static string Describe(StreamHeader header) => header.Request switch
        {
            StreamRequest.Ping => "ping",
            StreamRequest.Pong => "pong",
            StreamRequest.Goodbye => "goodbye",
            StreamRequest.Flags => $"flags {string.Join(' ', (header.Flags ?? []).Select(f => Tunnel.Protocol.Wire.TcpFlagNames.Format(f)))}",
            StreamRequest.Capabilities => string.Create(CultureInfo.InvariantCulture, $"capabilities 0x{(uint)header.Capabilities:x}"),
            _ => $"{header.Request.ToString().ToLowerInvariant()} {header.Target}",
        };
    }
}
