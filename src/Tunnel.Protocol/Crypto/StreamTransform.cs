namespace Tunnel.Protocol.Crypto;

/// <summary>A keyed, length-preserving transformation of a whole datagram: the peers' "BlockCrypt" ciphers.</summary>
internal abstract class StreamTransform : IDisposable
{
    public abstract void Encrypt(Span<byte> datagram);

    /// <summary>Same length in and out; the spans do not overlap.</summary>
    public abstract void Decrypt(ReadOnlySpan<byte> datagram, Span<byte> destination);

    public virtual void Dispose() => GC.SuppressFinalize(this);
}
