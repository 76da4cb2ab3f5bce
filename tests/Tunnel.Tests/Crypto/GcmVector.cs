using Tunnel.Tests.Support;

namespace Tunnel.Tests.Crypto;

/// <summary>
/// McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B: the test cases with a 96-bit nonce and no additional data
/// (1, 2, 3 for 128-bit keys; 13, 14, 15 for 256-bit keys).
/// </summary>
internal sealed record GcmVector(byte[] Key, byte[] Nonce, byte[] Plaintext, byte[] Ciphertext, byte[] Tag)
{
    private const string Zeros = "00000000000000000000000000000000";
    private const string ZeroNonce = "000000000000000000000000";
    private const string Key128 = "feffe9928665731c6d6a8f9467308308";
    private const string Nonce3 = "cafebabefacedbaddecaf888";

    private const string Plaintext3 =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";

    public static IReadOnlyList<GcmVector> Published { get; } =
    [
        Of(Zeros, ZeroNonce, "", "", "58e2fccefa7e3061367f1d57a4e7455a"),
        Of(Zeros, ZeroNonce, Zeros, "0388dace60b6a392f328c2b971b2fe78", "ab6e47d42cec13bdf53a67b21257bddf"),
        Of(
            Key128,
            Nonce3,
            Plaintext3,
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
            + "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
            "4d5c2af327cd64a62cf35abd2ba6fab4"),
        Of(Zeros + Zeros, ZeroNonce, "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
        Of(Zeros + Zeros, ZeroNonce, Zeros, "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"),
        Of(
            Key128 + Key128,
            Nonce3,
            Plaintext3,
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
            "b094dac5d93471bdec1a502270e3cc6c"),
    ];

    private static GcmVector Of(string key, string nonce, string plaintext, string ciphertext, string tag) =>
        new(Hex.Bytes(key), Hex.Bytes(nonce), Hex.Bytes(plaintext), Hex.Bytes(ciphertext), Hex.Bytes(tag));
}
