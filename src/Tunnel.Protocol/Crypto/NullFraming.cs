namespace Tunnel.Protocol.Crypto;

/// <summary>"null": no cipher header at all; the datagram is the payload.</summary>
internal sealed class NullFraming : DatagramCipher
{
    public override int HeaderLength => 0;

    public override int TrailerLength => 0;

    public override void Seal(Span<byte> datagram)
    {
        // There is nothing to add.
    }

    public override bool TryOpen(ReadOnlySpan<byte> datagram, Span<byte> scratch, out ReadOnlySpan<byte> payload)
    {
        payload = datagram;
        return true;
    }
}
