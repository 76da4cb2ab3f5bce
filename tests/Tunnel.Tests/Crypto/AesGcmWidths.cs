using Tunnel.Protocol.Crypto;

namespace Tunnel.Tests.Crypto;

/// <summary>The implementations of AES-GCM by the lanes of their hash; 0 is the platform's.</summary>
internal static class AesGcmWidths
{
    /// <summary>From the slowest to the fastest that this processor has.</summary>
    public static int[] Supported { get; } = [0, .. new[] { 1, 2, 4 }.Where(IsSupported)];

    public static Aead Create(int width, byte[] key) => width switch
    {
        0 => PlatformAead.AesGcm(key),
        1 => new AcceleratedAesGcm<GhashSum128>(key),
        2 => new AcceleratedAesGcm<GhashSum256>(key),
        _ => new AcceleratedAesGcm<GhashSum512>(key),
    };

    private static bool IsSupported(int width) => width switch
    {
        1 => AcceleratedAesGcm<GhashSum128>.IsSupported,
        2 => AcceleratedAesGcm<GhashSum256>.IsSupported,
        _ => AcceleratedAesGcm<GhashSum512>.IsSupported,
    };
}
