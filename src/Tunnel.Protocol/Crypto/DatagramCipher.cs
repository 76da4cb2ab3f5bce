namespace Tunnel.Protocol.Crypto;

/// <summary>
/// How a KCP datagram is sealed: a header in front of the payload, a trailer behind it, the payload's length unchanged between.
/// One instance belongs to one owner at a time; keys are parameters; nothing is allocated after construction.
/// </summary>
public abstract class DatagramCipher : IDisposable
{
    /// <summary>Bytes in front of the payload: 20 (nonce and checksum), 12 (AEAD nonce) or 0.</summary>
    public abstract int HeaderLength { get; }

    /// <summary>Bytes behind the payload: 16 (AEAD tag) or 0.</summary>
    public abstract int TrailerLength { get; }

    public int Overhead => HeaderLength + TrailerLength;

    /// <summary>
    /// Seals in place. The payload lies at <see cref="HeaderLength"/>; the last <see cref="TrailerLength"/> bytes are for the tag.
    /// </summary>
    public abstract void Seal(Span<byte> datagram);

    /// <summary>
    /// Opens <paramref name="datagram"/>; false when it is too short or its checksum or tag is wrong.
    /// </summary>
    /// <param name="datagram">The sealed datagram; not changed.</param>
    /// <param name="scratch">At least as long as the datagram; what the payload is decrypted into.</param>
    /// <param name="payload">The payload, inside <paramref name="scratch"/> or, for ciphers that do not encrypt, the datagram.</param>
    public abstract bool TryOpen(ReadOnlySpan<byte> datagram, Span<byte> scratch, out ReadOnlySpan<byte> payload);

    public virtual void Dispose() => GC.SuppressFinalize(this);
}
