using Tunnel.Protocol.Crypto;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Crypto;

/// <summary>Sealed datagrams of the peers' wire format, worked out from its description.</summary>
internal static class WireVectors
{
    /// <summary>Of the secret "test-key".</summary>
    public const string MasterKey = "bdfe8c4a575bd46e79458394ed1c2c5adc38623f9f6be17372ee120154f14b0a";

    /// <summary>A PUSH of "hello": conversation 0x11223344, window 128, timestamp 1000.</summary>
    public const string Segment = "4433221151008000e803000000000000000000000500000068656c6c6f";

    /// <summary>Nonce 0 to 15, checksum, segment.</summary>
    public const string Legacy = "000102030405060708090a0b0c0d0e0fabca4a05" + Segment;

    public const string Aes256 = "3ba81ba882e763c9f7f80073a7f320f63b1abbd2009ddb101287599af2443f5ecf46bf13f180876e4171906c9de94786b6";
    public const string Aes128 = "245812d1aec320cbf71c66e02c8a05e88d829f3d0cb7bda7d1e71629a95b6559c2be72acb7dafa05bd93fd57748c9de41a";
    public const string Gcm128 =
        "000102030405060708090a0b78ff5be1c30b518b9d8784abf595f56c1626609a5427f8abb8e9ece58b9169e14bcb2cc99d728621ef989d6b55";

    public const string XorTableStart = "c30538b0c74d5ab85a4542b746d305dbf0e5b7d54b15923e796df15c7536f1a4";

    public static byte[] Key => Hex.Bytes(MasterKey);

    public static NonceGenerator Nonces(byte seed = 1) => new([.. Enumerable.Repeat(seed, NonceGenerator.SeedLength)]);

    public static DatagramCipher Cipher(string name) => CipherSuite.Create(name, Key, Nonces());
}
