using Tunnel.Protocol.Crypto;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Crypto;

public class KeyDerivationTests
{
    [Fact]
    public void PaqetKey() => Assert.Equal(WireVectors.MasterKey, Hex.Of(KeyDerivation.Paqet("test-key")));

    [Theory]
    [InlineData("it's a secrect", "25d7d7bd51050742d8d791f2b653c6c8b2366b7e25a124cf7a2e12eaf4ffa444")]
    [InlineData("test-key", "cdecf23848ea3fe5ef5ce3b123d4a620b471f2ea9e67c1556fcbc6ab103c77cb")]
    public void KcptunKey(string secret, string key) => Assert.Equal(key, Hex.Of(KeyDerivation.Kcptun(secret)));
}
