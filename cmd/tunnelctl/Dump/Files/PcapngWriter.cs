using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Tunnel.Ctl.Dump.Files;

/// <summary>Writes pcapng: one section, one Ethernet interface with nanoseconds, a block for each frame, and the counts at the end.</summary>
internal sealed class PcapngWriter : IDisposable
{
    private const byte Nanoseconds = 9;
    private const int WordLength = 4;

    private readonly Stream _stream;
    private readonly MemoryStream _body = new();

    /// <param name="stream">Owned from now on.</param>
    /// <param name="interfaceName">Where the frames are captured.</param>
    public PcapngWriter(Stream stream, string interfaceName)
    {
        _stream = stream;
        Word(PcapngBlocks.ByteOrderMagic);
        Half(1);
        Half(0);
        // The section's length is not known yet.
        Word(uint.MaxValue);
        Word(uint.MaxValue);
        Option(PcapngBlocks.Application, Encoding.UTF8.GetBytes("tunnelctl dump"));
        EndBlock(PcapngBlocks.SectionHeader, hasOptions: true);
        Half(LinkLayer.Ethernet);
        Half(0);
        Word(0);
        Option(PcapngBlocks.InterfaceName, Encoding.UTF8.GetBytes(interfaceName));
        Option(PcapngBlocks.TimeResolution, [Nanoseconds]);
        EndBlock(PcapngBlocks.InterfaceDescription, hasOptions: true);
    }

    public void Write(CapturedFrame frame)
    {
        Word(0);
        Word((uint)(frame.Time >> 32));
        Word((uint)frame.Time);
        Word((uint)frame.Bytes.Length);
        Word((uint)frame.OriginalLength);
        _body.Write(frame.Bytes.Span);
        Pad();
        if (frame.Course != FrameCourse.Unknown)
            Option(PcapngBlocks.PacketFlags, Bytes((uint)frame.Course));
        if (frame.SegmentLength != 0)
            Option(PcapngBlocks.Comment, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{PcapngBlocks.SegmentLengthNote}{frame.SegmentLength}")));
        EndBlock(PcapngBlocks.EnhancedPacket, frame.Course != FrameCourse.Unknown || frame.SegmentLength != 0);
    }

    /// <summary>Says at the file's end what the capture saw and what the kernel dropped.</summary>
    public void WriteCounts(long time, long received, long dropped)
    {
        Word(0);
        Word((uint)(time >> 32));
        Word((uint)time);
        Option(PcapngBlocks.Received, [.. Bytes((uint)received), .. Bytes((uint)(received >> 32))]);
        Option(PcapngBlocks.Dropped, [.. Bytes((uint)dropped), .. Bytes((uint)(dropped >> 32))]);
        EndBlock(PcapngBlocks.InterfaceStatistics, hasOptions: true);
    }

    public void Flush() => _stream.Flush();

    public void Dispose() => _stream.Dispose();

    private static byte[] Bytes(uint value)
    {
        byte[] bytes = new byte[WordLength];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    private void Word(uint value) => _body.Write(Bytes(value));

    private void Half(ushort value) => _body.Write([(byte)value, (byte)(value >> 8)]);

    private void Option(ushort code, byte[] value)
    {
        Half(code);
        Half((ushort)value.Length);
        _body.Write(value);
        Pad();
    }

    private void Pad()
    {
        while (_body.Length % WordLength != 0)
            _body.WriteByte(0);
    }

    private void EndBlock(uint type, bool hasOptions)
    {
        if (hasOptions)
            Word(PcapngBlocks.EndOfOptions);
        byte[] total = Bytes((uint)(_body.Length + PcapngBlocks.Overhead));
        _stream.Write(Bytes(type));
        _stream.Write(total);
        _stream.Write(_body.GetBuffer().AsSpan(0, (int)_body.Length));
        _stream.Write(total);
        _body.SetLength(0);
    }
}
