using System.Buffers.Binary;

namespace Tunnel.Ctl.Dump.Files;

/// <summary>Reads pcap and pcapng files, of either byte order, packet by packet.</summary>
internal static class CaptureReader
{
    /// <summary>The packets in the file's order. Lazy: what comes before a damaged place is still given.</summary>
    /// <exception cref="CaptureFormatException">While enumerating: the file is no capture, or is damaged.</exception>
    public static IEnumerable<CapturedFrame> Read(Stream stream)
    {
        var input = new CaptureInput(stream);
        byte[] magic = new byte[sizeof(uint)];
        if (!input.TryTake(magic))
            throw new CaptureFormatException("the file is empty");
        uint number = BinaryPrimitives.ReadUInt32LittleEndian(magic);
        if (number == PcapngBlocks.SectionHeader)
            return PcapngReader.Read(input);
        input.IsBigEndian = PcapReader.IsMagic(BinaryPrimitives.ReverseEndianness(number));
        return input.IsBigEndian || PcapReader.IsMagic(number)
            ? PcapReader.Read(input, input.UInt32(magic) == PcapReader.NanosecondMagic)
            : throw new CaptureFormatException("this is neither pcap nor pcapng");
    }
}
