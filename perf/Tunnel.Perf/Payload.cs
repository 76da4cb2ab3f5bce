using Tunnel.Protocol.Primitives;

namespace Tunnel.Perf;

/// <summary>What the benchmarks carry: bytes that do not compress, the same in every run.</summary>
internal static class Payload
{
    /// <summary>The mtu that both peers default to: bytes in a full datagram.</summary>
    public const int Datagram = 1350;

    public static byte[] Create(int length)
    {
        byte[] bytes = new byte[length];
        var prng = new Prng(1);
        prng.Fill(bytes);
        return bytes;
    }
}
