namespace Tunnel.Tests.Vectors;

/// <summary>The names of the recordings, by what the tests want from them.</summary>
internal static class Recordings
{
    public const string Key = "correct horse battery staple";

    public const string Guarded = "fork-guard-aes-128-gcm";
    public const string KcptunUdp = "kcptun-aes-128-nocomp-nofec";
    public const string KcptunTcp = "kcptun-tcp-aes-128-nocomp-nofec";

    /// <summary>With forward error correction, which this version does not decode.</summary>
    public const string Fec = "paqet-aes-fec-10-3";

    /// <summary>Upstream paqet's, a cipher each.</summary>
    public static readonly string[] Paqet = ["paqet-aes", "paqet-aes-128-gcm", "paqet-xor", "paqet-none", "paqet-null"];

    public static readonly string[] All = [.. Paqet, Guarded, KcptunUdp, KcptunTcp];
}
