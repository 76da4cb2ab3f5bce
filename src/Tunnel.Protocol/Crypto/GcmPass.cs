using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// One pass of GCM over a run of blocks: counter mode and GHASH together, eight blocks at a time. AES rounds of eight blocks fill the
/// AES units, and between the rounds the carry-less products of eight other blocks run on units that would be idle.
/// </summary>
/// <typeparam name="TSum">How many blocks a step the hash takes.</typeparam>
internal ref struct GcmPass<TSum>
    where TSum : struct, IGhashSum
{
    public const int Batch = 8;

    private const int Block = AesBlock.BlockLength;
    private const int BatchLength = Batch * Block;

    private readonly ref Vector128<byte> _keys;
    private readonly int _rounds;
    private ref Vector128<ulong> _power;
    private Vector128<uint> _counter;
    private TSum _sum;

    /// <param name="roundKeys">The AES key schedule.</param>
    /// <param name="counter">The first counter block; its last byte must not overflow during the pass.</param>
    /// <param name="power">The power of the first block, followed by the lower ones.</param>
    /// <param name="hash">What was hashed before the pass.</param>
    public GcmPass(ReadOnlySpan<Vector128<byte>> roundKeys, Vector128<byte> counter, ref Vector128<ulong> power, Vector128<ulong> hash)
    {
        _keys = ref MemoryMarshal.GetReference(roundKeys);
        _rounds = roundKeys.Length - 1;
        _counter = counter.AsUInt32();
        _power = ref power;
        _sum.Add(hash, ref power);
    }

    /// <summary>GHASH of everything so far.</summary>
    public readonly Vector128<ulong> Hash => _sum.Reduce();

    /// <summary>Encrypts in place and hashes what comes out; a last partial block is hashed as if zeros followed.</summary>
    public void Seal(Span<byte> data)
    {
        // What is hashed between the rounds of a batch is the batch before it.
        ref byte at = ref MemoryMarshal.GetReference(data);
        ref byte before = ref Unsafe.NullRef<byte>();
        int length = data.Length;
        for (; length >= BatchLength; length -= BatchLength)
        {
            ApplyAndHash(ref at, ref at, ref before);
            before = ref at;
            at = ref Unsafe.Add(ref at, BatchLength);
        }

        if (length > 0)
            SealTail(data[^length..], ref before);
        else if (!Unsafe.IsNullRef(ref before))
            AddBlocks(ref before, Batch);
    }

    /// <summary>Hashes the cipher text and decrypts it; the spans are the same or apart.</summary>
    public void Open(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ref byte from = ref MemoryMarshal.GetReference(source);
        ref byte to = ref MemoryMarshal.GetReference(destination);
        int length = source.Length;
        for (; length >= BatchLength; length -= BatchLength)
        {
            ApplyAndHash(ref from, ref to, ref from);
            from = ref Unsafe.Add(ref from, BatchLength);
            to = ref Unsafe.Add(ref to, BatchLength);
        }

        if (length > 0)
            OpenTail(source[^length..], destination.Slice(source.Length - length, length));
    }

    /// <summary>Hashes one more block.</summary>
    public void Add(Vector128<ulong> block)
    {
        _sum.Add(block, ref _power);
        _power = ref Unsafe.Add(ref _power, 1);
    }

    private void SealTail(Span<byte> data, ref byte before)
    {
        Span<byte> padded = stackalloc byte[BatchLength];
        data.CopyTo(padded);
        ref byte start = ref MemoryMarshal.GetReference(padded);
        ApplyAndHash(ref start, ref start, ref before);
        padded[..data.Length].CopyTo(data);
        padded[data.Length..].Clear();
        AddBlocks(ref start, (data.Length + Block - 1) / Block);
    }

    private void OpenTail(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<byte> padded = stackalloc byte[BatchLength];
        source.CopyTo(padded);
        ref byte start = ref MemoryMarshal.GetReference(padded);
        AddBlocks(ref start, (source.Length + Block - 1) / Block);
        ApplyAndHash(ref start, ref start, ref Unsafe.NullRef<byte>());
        padded[..source.Length].CopyTo(destination);
    }

    // The last step may take in blocks beyond the count; they must be zeros, so that their powers do not matter.
    private void AddBlocks(ref byte blocks, int count)
    {
        for (int i = 0; i < count; i += TSum.Lanes)
            _sum.AddLanes(ref Unsafe.Add(ref blocks, i * Block), ref Unsafe.Add(ref _power, i));
        _power = ref Unsafe.Add(ref _power, count);
    }

    /// <summary>
    /// XORs a batch with its keystream and meanwhile hashes the batch at <paramref name="hashed"/>, if there is one, as it was before.
    /// </summary>
    private void ApplyAndHash(ref byte source, ref byte destination, ref byte hashed)
    {
        ref Vector128<byte> keys = ref _keys;
        Vector128<byte> k = keys;
        Vector128<uint> one = Vector128.Create(0, 0, 0, 1u << 24), c = _counter;
        Vector128<byte> b0 = AesRounds.First(c.AsByte(), k), b1 = AesRounds.First((c += one).AsByte(), k);
        Vector128<byte> b2 = AesRounds.First((c += one).AsByte(), k), b3 = AesRounds.First((c += one).AsByte(), k);
        Vector128<byte> b4 = AesRounds.First((c += one).AsByte(), k), b5 = AesRounds.First((c += one).AsByte(), k);
        Vector128<byte> b6 = AesRounds.First((c += one).AsByte(), k), b7 = AesRounds.First((c += one).AsByte(), k);
        _counter = c + one;

        int round = 1;
        if (!Unsafe.IsNullRef(ref hashed))
        {
            // A key schedule has nine middle rounds at least: enough for a step of the hash in each.
            TSum sum = _sum;
            ref Vector128<ulong> power = ref _power;
            for (; round <= Batch / TSum.Lanes; round++)
            {
                k = Unsafe.Add(ref keys, round - AesRounds.KeyLag);
                b0 = AesRounds.Middle(b0, k);
                b1 = AesRounds.Middle(b1, k);
                b2 = AesRounds.Middle(b2, k);
                b3 = AesRounds.Middle(b3, k);
                sum.AddLanes(ref hashed, ref power);
                b4 = AesRounds.Middle(b4, k);
                b5 = AesRounds.Middle(b5, k);
                b6 = AesRounds.Middle(b6, k);
                b7 = AesRounds.Middle(b7, k);
                hashed = ref Unsafe.Add(ref hashed, TSum.Lanes * Block);
                power = ref Unsafe.Add(ref power, TSum.Lanes);
            }

            _sum = sum;
            _power = ref power;
        }

        for (; round < _rounds; round++)
        {
            k = Unsafe.Add(ref keys, round - AesRounds.KeyLag);
            b0 = AesRounds.Middle(b0, k);
            b1 = AesRounds.Middle(b1, k);
            b2 = AesRounds.Middle(b2, k);
            b3 = AesRounds.Middle(b3, k);
            b4 = AesRounds.Middle(b4, k);
            b5 = AesRounds.Middle(b5, k);
            b6 = AesRounds.Middle(b6, k);
            b7 = AesRounds.Middle(b7, k);
        }

        k = Unsafe.Add(ref keys, round - 1);
        Vector128<byte> last = Unsafe.Add(ref keys, round);
        Store(AesRounds.Last(b0, k, last), ref source, ref destination, 0);
        Store(AesRounds.Last(b1, k, last), ref source, ref destination, 1);
        Store(AesRounds.Last(b2, k, last), ref source, ref destination, 2);
        Store(AesRounds.Last(b3, k, last), ref source, ref destination, 3);
        Store(AesRounds.Last(b4, k, last), ref source, ref destination, 4);
        Store(AesRounds.Last(b5, k, last), ref source, ref destination, 5);
        Store(AesRounds.Last(b6, k, last), ref source, ref destination, 6);
        Store(AesRounds.Last(b7, k, last), ref source, ref destination, 7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<byte> keystream, ref byte source, ref byte destination, int index) =>
        (keystream ^ Vector128.LoadUnsafe(ref source, (nuint)(index * Block))).StoreUnsafe(ref destination, (nuint)(index * Block));
}
