namespace Tunnel.App.Config.Schema;

/// <summary>The ciphers, and what to say about the ones that peers know and this program does not.</summary>
internal static class BlockTypes
{
    private static readonly string[] LeftOut = ["blowfish", "twofish", "cast5", "3des", "tea", "xtea", "sm4"];

    public static readonly ConfigType<KcpBlock> Block = BasicTypes.Choice(
        Refuse,
        ("aes", KcpBlock.Aes),
        ("aes-128", KcpBlock.Aes128),
        ("aes-192", KcpBlock.Aes192),
        ("aes-128-gcm", KcpBlock.Aes128Gcm),
        ("aes-256-gcm", KcpBlock.Aes256Gcm),
        ("chacha20-poly1305", KcpBlock.ChaCha20Poly1305),
        ("salsa20", KcpBlock.Salsa20),
        ("xor", KcpBlock.Xor),
        ("none", KcpBlock.None),
        ("null", KcpBlock.Null));

    private static string? Refuse(string word)
    {
        if (word == "aes-256")
            return "\"aes-256\" is called \"aes\" here, as its peers call it";
        if (!LeftOut.Contains(word))
            return null;

        return $"\"{word}\" is left out, as are all ciphers that are obsolete or unmaintained in the platform "
            + "and slower than AES on every machine with AES instructions";
    }
}
