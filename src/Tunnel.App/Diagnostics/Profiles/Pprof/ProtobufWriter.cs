using System.Buffers;
using System.Text;

namespace Tunnel.App.Diagnostics.Profiles.Pprof;

/// <summary>Writes protobuf's encoding: fields with numbers, varints, and contents with their length in front.</summary>
internal sealed class ProtobufWriter
{
    private const int Varint = 0, LengthDelimited = 2;

    private readonly ArrayBufferWriter<byte> _bytes = new();

    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    public void Clear() => _bytes.ResetWrittenCount();

    /// <summary>Zero is what a reader takes an absent field for.</summary>
    public void WriteNumber(int field, long value)
    {
        if (value == 0)
            return;
        WriteRaw((ulong)(field << 3 | Varint));
        WriteRaw((ulong)value);
    }

    public void WriteBytes(int field, ReadOnlySpan<byte> content)
    {
        WriteRaw((ulong)(field << 3 | LengthDelimited));
        WriteRaw((ulong)content.Length);
        _bytes.Write(content);
    }

    public void WriteText(int field, string text) => WriteBytes(field, Encoding.UTF8.GetBytes(text));

    public void WriteMessage(int field, ProtobufWriter message) => WriteBytes(field, message.Written);

    /// <summary>A number without field, for packed ones.</summary>
    public void WriteRaw(ulong value)
    {
        Span<byte> span = _bytes.GetSpan(10);
        int length = 0;
        for (; value >= 0x80; value >>= 7)
            span[length++] = (byte)(value | 0x80);
        span[length++] = (byte)value;
        _bytes.Advance(length);
    }
}
