using Tunnel.Protocol.Mux;

namespace Tunnel.Ctl.Dump.Decoding;

/// <summary>
/// The smux frames of one direction, from its ordered segments. Behind a gap it begins again where a segment begins with something
/// that can only be frames, as most segments of a tunnel do.
/// </summary>
internal sealed class MuxDecoder(StreamNotes notes, bool fromOpener)
{
    private readonly byte[] _header = new byte[MuxFrame.HeaderLength];
    private int _have;
    private int _remaining;
    private bool _synchronized = true;
    private DumpedMuxFrame? _current;

    /// <summary>Takes a segment's bytes; frames that begin in it go to <paramref name="frames"/>.</summary>
    public void Feed(uint number, ReadOnlySpan<byte> data, bool gap, List<DumpedMuxFrame> frames)
    {
        if (gap)
            Lose(number, "segments are missing in front of this one", frames);
        if (!_synchronized && !LooksLikeFrames(data))
            return;
        _synchronized = true;
        while (!data.IsEmpty && _synchronized)
            data = _remaining > 0 ? data[TakeData(data)..] : data[TakeHeader(number, data, frames)..];
    }

    private int TakeData(ReadOnlySpan<byte> data)
    {
        int count = Math.Min(_remaining, data.Length);
        notes.OnData(_current!, data[..count], fromOpener);
        _remaining -= count;
        return count;
    }

    private int TakeHeader(uint number, ReadOnlySpan<byte> data, List<DumpedMuxFrame> frames)
    {
        int count = Math.Min(_header.Length - _have, data.Length);
        data[..count].CopyTo(_header.AsSpan(_have));
        _have += count;
        if (_have == _header.Length)
            Begin(number, frames);
        return count;
    }

    private void Begin(uint number, List<DumpedMuxFrame> frames)
    {
        _have = 0;
        MuxFrame frame = MuxFrame.Read(_header);
        if (!IsPlausible(frame))
        {
            Lose(number, "this is no smux frame", frames);
            return;
        }

        _remaining = frame.Length;
        _current = new DumpedMuxFrame(number, frame, "");
        notes.OnFrame(_current, fromOpener);
        frames.Add(_current);
    }

    private void Lose(uint number, string why, List<DumpedMuxFrame> frames)
    {
        (_have, _remaining, _synchronized) = (0, 0, false);
        frames.Add(new DumpedMuxFrame(number, default, why));
    }

    private static bool LooksLikeFrames(ReadOnlySpan<byte> data)
    {
        if (data.Length < MuxFrame.HeaderLength)
            return false;
        while (data.Length >= MuxFrame.HeaderLength)
        {
            MuxFrame frame = MuxFrame.Read(data);
            if (!IsPlausible(frame))
                return false;
            data = data[Math.Min(data.Length, MuxFrame.HeaderLength + frame.Length)..];
        }

        return true;
    }

    private static bool IsPlausible(MuxFrame frame) => frame.Version is 1 or 2 && frame.Command switch
    {
        MuxCommand.Open or MuxCommand.Finish or MuxCommand.KeepAlive or MuxCommand.Reset => frame.Length == 0,
        MuxCommand.WindowUpdate => frame.Length == MuxFrame.WindowUpdateLength,
        MuxCommand.Data => true,
        _ => false,
    };
}
