using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Tunnel.Protocol.Crypto;

/// <summary>kcp-go's "xor": the datagram XORed with a 1500-byte table from the key. Obfuscation, not encryption.</summary>
internal sealed class XorTable : StreamTransform
{
    /// <summary>kcp-go's largest datagram. Longer ones, which only ends of ours exchange, begin the table again.</summary>
    private const int TableLength = 1500;

    private readonly byte[] _table;

    public XorTable(ReadOnlySpan<byte> key)
    {
#pragma warning disable CA5379 // The peer's choice.
        _table = Rfc2898DeriveBytes.Pbkdf2(key, "sH3CIVoF#rWLtJo6"u8, 32, HashAlgorithmName.SHA1, TableLength);
#pragma warning restore CA5379
    }

    internal ReadOnlySpan<byte> Table => _table;

    public override void Encrypt(Span<byte> datagram) => Decrypt(datagram, datagram);

    public override void Decrypt(ReadOnlySpan<byte> datagram, Span<byte> destination)
    {
        while (datagram.Length > TableLength)
        {
            Apply(datagram[..TableLength], destination);
            datagram = datagram[TableLength..];
            destination = destination[TableLength..];
        }

        Apply(datagram, destination);
    }

    private void Apply(ReadOnlySpan<byte> datagram, Span<byte> destination)
    {
        int i = 0;
        ReadOnlySpan<Vector<byte>> source = MemoryMarshal.Cast<byte, Vector<byte>>(datagram);
        ReadOnlySpan<Vector<byte>> table = MemoryMarshal.Cast<byte, Vector<byte>>(_table);
        Span<Vector<byte>> target = MemoryMarshal.Cast<byte, Vector<byte>>(destination);
        for (int v = 0; v < source.Length; v++, i += Vector<byte>.Count)
            target[v] = source[v] ^ table[v];
        for (; i < datagram.Length; i++)
            destination[i] = (byte)(datagram[i] ^ _table[i]);
    }
}
