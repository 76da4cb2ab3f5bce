using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// Salsa20/20 with a 256-bit key as kcp-go uses it: the datagram's first 8 bytes stay in clear and are the nonce; the rest is XORed
/// with the keystream from counter 0.
/// </summary>
internal sealed class Salsa20 : StreamTransform
{
    private const int NonceLength = 8;
    private const int BlockLength = 64;

    private readonly uint[] _key = new uint[8];

    public Salsa20(ReadOnlySpan<byte> key)
    {
        for (int i = 0; i < 8; i++)
            _key[i] = BinaryPrimitives.ReadUInt32LittleEndian(key[(4 * i)..]);
    }

    public override void Encrypt(Span<byte> datagram)
    {
        if (datagram.Length > NonceLength)
            Apply(datagram[..NonceLength], datagram[NonceLength..], datagram[NonceLength..]);
    }

    public override void Decrypt(ReadOnlySpan<byte> datagram, Span<byte> destination)
    {
        int clear = Math.Min(NonceLength, datagram.Length);
        datagram[..clear].CopyTo(destination);
        if (datagram.Length > NonceLength)
            Apply(datagram[..NonceLength], datagram[NonceLength..], destination[NonceLength..]);
    }

    private void Apply(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<uint> state =
        [
            0x61707865, _key[0], _key[1], _key[2], _key[3], 0x3320646e, BinaryPrimitives.ReadUInt32LittleEndian(nonce),
            BinaryPrimitives.ReadUInt32LittleEndian(nonce[4..]), 0, 0, 0x79622d32, _key[4], _key[5], _key[6], _key[7], 0x6b206574,
        ];
        Span<byte> block = stackalloc byte[BlockLength];
        while (!source.IsEmpty)
        {
            Core(state, MemoryMarshal.Cast<byte, uint>(block));
            int n = Math.Min(BlockLength, source.Length);
            for (int i = 0; i < n; i++)
                destination[i] = (byte)(source[i] ^ block[i]);
            source = source[n..];
            destination = destination[n..];
            if (++state[8] == 0)
                state[9]++;
        }
    }

    private static void Core(ReadOnlySpan<uint> state, Span<uint> x)
    {
        state.CopyTo(x);
        for (int round = 0; round < 20; round += 2)
        {
            Quarter(ref x[0], ref x[4], ref x[8], ref x[12]);
            Quarter(ref x[5], ref x[9], ref x[13], ref x[1]);
            Quarter(ref x[10], ref x[14], ref x[2], ref x[6]);
            Quarter(ref x[15], ref x[3], ref x[7], ref x[11]);
            Quarter(ref x[0], ref x[1], ref x[2], ref x[3]);
            Quarter(ref x[5], ref x[6], ref x[7], ref x[4]);
            Quarter(ref x[10], ref x[11], ref x[8], ref x[9]);
            Quarter(ref x[15], ref x[12], ref x[13], ref x[14]);
        }

        for (int i = 0; i < 16; i++)
        {
            uint word = x[i] + state[i];
            x[i] = BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
        }
    }

    private static void Quarter(ref uint a, ref uint b, ref uint c, ref uint d)
    {
        b ^= BitOperations.RotateLeft(a + d, 7);
        c ^= BitOperations.RotateLeft(b + a, 9);
        d ^= BitOperations.RotateLeft(c + b, 13);
        a ^= BitOperations.RotateLeft(d + c, 18);
    }
}
