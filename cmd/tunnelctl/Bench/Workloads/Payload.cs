using System.Buffers.Binary;

namespace Tunnel.Ctl.Bench.Workloads;

/// <summary>Bytes that no compression makes fewer.</summary>
internal static class Payload
{
    private const int Seed = 0x7475_6e6e;
    private static long _stamp;

    public static ReadOnlySpan<byte> Alphabet => "abcdefghijklmnopqrstuvwxyz0123456789"u8;

    public static byte[] Random(int size)
    {
        byte[] bytes = new byte[size];
        new Random(Seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Makes a message unlike all the others of this process, as far as it has room.</summary>
    public static long Stamp(Span<byte> message)
    {
        long stamp = Interlocked.Increment(ref _stamp);
        if (message.Length >= sizeof(long))
            BinaryPrimitives.WriteInt64LittleEndian(message, stamp);
        else
            message[0] = (byte)stamp;
        return stamp;
    }
}
