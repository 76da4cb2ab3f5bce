using System.Globalization;
using System.Text;

namespace Tunnel.Ctl.Dump.Files;

/// <summary>pcapng, behind the first four bytes: sections, interfaces, enhanced and simple packets; other blocks are passed over.</summary>
internal sealed class PcapngReader
{
    private const int MinimumSection = 28;
    private const int InterfaceFixed = 8;
    private const int PacketFixed = 20;
    private const int MaximumInterfaces = 4096;
    private const int CourseMask = 3;

    private readonly CaptureInput _input;
    private readonly List<Interface> _interfaces = [];

    private PcapngReader(CaptureInput input) => _input = input;

    public static IEnumerable<CapturedFrame> Read(CaptureInput input)
    {
        var reader = new PcapngReader(input);
        reader.BeginSection();
        byte[] type = new byte[sizeof(uint)];
        while (input.TryTake(type))
        {
            uint number = input.UInt32(type);
            if (number == PcapngBlocks.SectionHeader)
                reader.BeginSection();
            else if (reader.ReadBlock(number) is { } frame)
                yield return frame;
        }
    }

    /// <summary>The byte order stands behind the length that is written in it.</summary>
    private void BeginSection()
    {
        byte[] start = _input.Take(2 * sizeof(uint));
        _input.IsBigEndian = false;
        uint order = _input.UInt32(start.AsSpan(sizeof(uint)));
        _input.IsBigEndian = order != PcapngBlocks.ByteOrderMagic;
        if (_input.UInt32(start.AsSpan(sizeof(uint))) != PcapngBlocks.ByteOrderMagic)
            throw new CaptureFormatException("a section does not say its byte order: this is no pcapng");
        uint total = _input.UInt32(start);
        if (total < MinimumSection)
            throw new CaptureFormatException($"a section header of {total} bytes cannot be");
        _input.Take(total - PcapngBlocks.Prefix - sizeof(uint));
        _interfaces.Clear();
    }

    private CapturedFrame? ReadBlock(uint type)
    {
        uint total = _input.UInt32(_input.Take(sizeof(uint)));
        if (total < PcapngBlocks.Overhead || total % 4 != 0)
            throw new CaptureFormatException($"a block of {total} bytes cannot be");
        byte[] body = _input.Take(total - PcapngBlocks.Prefix);
        if (_input.UInt32(body.AsSpan(body.Length - sizeof(uint))) != total)
            throw new CaptureFormatException("a block's two lengths differ: the file is damaged");
        ReadOnlyMemory<byte> content = body.AsMemory(0, body.Length - sizeof(uint));
        switch (type)
        {
            case PcapngBlocks.InterfaceDescription:
                AddInterface(content.Span);
                return null;
            case PcapngBlocks.EnhancedPacket:
                return ReadPacket(content);
            case PcapngBlocks.SimplePacket:
                return ReadSimplePacket(content);
            default:
                return null;
        }
    }

    private void AddInterface(ReadOnlySpan<byte> body)
    {
        if (body.Length < InterfaceFixed || _interfaces.Count == MaximumInterfaces)
            throw new CaptureFormatException("an interface's description cannot be");
        var added = new Interface(_input.UInt16(body), 6, 0);
        Options options = new(_input, body[InterfaceFixed..]);
        while (options.MoveNext())
        {
            if (options.Code == PcapngBlocks.TimeResolution && options.Value.Length >= 1)
                added = added with { Resolution = options.Value[0] };
            else if (options.Code == PcapngBlocks.TimeOffset && options.Value.Length >= 8)
                added = added with { Offset = Seconds(options.Value) };
        }

        _interfaces.Add(added);
    }

    private long Seconds(ReadOnlySpan<byte> value)
    {
        ulong first = _input.UInt32(value), second = _input.UInt32(value[4..]);
        return (long)(_input.IsBigEndian ? (first << 32) | second : (second << 32) | first);
    }

    private CapturedFrame ReadPacket(ReadOnlyMemory<byte> body)
    {
        ReadOnlySpan<byte> bytes = body.Span;
        if (bytes.Length < PacketFixed)
            throw new CaptureFormatException("a packet block without its fields");
        Interface from = Find(_input.UInt32(bytes));
        ulong stamp = ((ulong)_input.UInt32(bytes[4..]) << 32) | _input.UInt32(bytes[8..]);
        uint captured = _input.UInt32(bytes[12..]);
        if (captured > bytes.Length - PacketFixed)
            throw new CaptureFormatException($"a packet of {captured} bytes in a block of {bytes.Length}");
        int optionsAt = Math.Min(bytes.Length, PacketFixed + PcapngBlocks.Padded((int)captured));
        (FrameCourse course, int segmentLength) = ReadPacketOptions(bytes[optionsAt..]);
        return new CapturedFrame(
            from.Nanoseconds(stamp),
            LinkLayer.ToEthernet(from.LinkType, body.Slice(PacketFixed, (int)captured)),
            (int)Math.Min(int.MaxValue, _input.UInt32(bytes[16..])),
            course,
            segmentLength);
    }

    private CapturedFrame ReadSimplePacket(ReadOnlyMemory<byte> body)
    {
        if (body.Length < sizeof(uint))
            throw new CaptureFormatException("a packet block without its fields");
        uint original = _input.UInt32(body.Span);
        int captured = (int)Math.Min(original, (uint)(body.Length - sizeof(uint)));
        ReadOnlyMemory<byte> frame = LinkLayer.ToEthernet(Find(0).LinkType, body.Slice(sizeof(uint), captured));
        return new CapturedFrame(0, frame, (int)Math.Min(int.MaxValue, original), FrameCourse.Unknown, 0);
    }

    private (FrameCourse Course, int SegmentLength) ReadPacketOptions(ReadOnlySpan<byte> bytes)
    {
        FrameCourse course = FrameCourse.Unknown;
        int segmentLength = 0;
        Options options = new(_input, bytes);
        while (options.MoveNext())
        {
            if (options.Code == PcapngBlocks.PacketFlags && options.Value.Length >= 4)
                course = (FrameCourse)Math.Min((uint)FrameCourse.Out, _input.UInt32(options.Value) & CourseMask);
            else if (options.Code == PcapngBlocks.Comment)
                segmentLength = ReadSegmentLength(options.Value) ?? segmentLength;
        }

        return (course, segmentLength);
    }

    private static int? ReadSegmentLength(ReadOnlySpan<byte> comment)
    {
        string text = Encoding.UTF8.GetString(comment[..Math.Min(comment.Length, 64)]);
        return text.StartsWith(PcapngBlocks.SegmentLengthNote, StringComparison.Ordinal)
            && ushort.TryParse(text[PcapngBlocks.SegmentLengthNote.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out ushort length)
            ? length
            : null;
    }

    private Interface Find(uint id) => id < _interfaces.Count
        ? _interfaces[(int)id]
        : throw new CaptureFormatException($"a packet of interface {id}, which the file does not describe");

    /// <summary>An interface's link type and how its times count: a power of ten, or with the high bit of two, a second.</summary>
    private readonly record struct Interface(int LinkType, byte Resolution, long Offset)
    {
        public long Nanoseconds(ulong stamp)
        {
            UInt128 perSecond = Power((uint)((Resolution & 0x80) != 0 ? 2 : 10), Math.Min(Resolution & 0x7F, 38));
            UInt128 nanoseconds = (UInt128)stamp * 1_000_000_000 / perSecond;
            return unchecked((long)(ulong)nanoseconds + (Offset * 1_000_000_000));
        }

        private static UInt128 Power(uint radix, int exponent)
        {
            UInt128 value = 1;
            for (int i = 0; i < exponent; i++)
                value *= radix;
            return value;
        }
    }

    private ref struct Options(CaptureInput input, ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public ushort Code { get; private set; }

        public ReadOnlySpan<byte> Value { get; private set; }

        /// <summary>Ends at the end option and at the first that does not fit.</summary>
        public bool MoveNext()
        {
            if (_rest.Length < 4)
                return false;
            Code = input.UInt16(_rest);
            int length = input.UInt16(_rest[2..]);
            if (Code == PcapngBlocks.EndOfOptions || length > _rest.Length - 4)
                return false;
            Value = _rest.Slice(4, length);
            _rest = _rest[Math.Min(_rest.Length, 4 + PcapngBlocks.Padded(length))..];
            return true;
        }
    }
}
