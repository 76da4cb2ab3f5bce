using System.Text;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Ctl.Dump.Decoding;

/// <summary>Opens the datagrams of one secret: its guard, and its cipher, which is found by trying when it is not told.</summary>
internal sealed class TunnelKey
{
    private readonly List<(string Name, DatagramCipher Cipher)> _ciphers;
    private readonly byte[] _scratch = new byte[ushort.MaxValue + 1];

    private TunnelKey(List<(string Name, DatagramCipher Cipher)> ciphers, Guard? guard, bool guardIsCertain)
    {
        _ciphers = ciphers;
        Guard = guard;
        GuardIsCertain = guardIsCertain;
    }

    /// <summary>Null when the configuration has it off.</summary>
    public Guard? Guard { get; }

    /// <summary>Every datagram has the guard; otherwise those that do not have its magic have none.</summary>
    public bool GuardIsCertain { get; }

    /// <summary>No key at all: only what is not encrypted opens.</summary>
    public static TunnelKey Keyless() => new([.. Create(["none", "null"], new byte[KeyDerivation.MasterKeyLength], "")], null, false);

    /// <param name="secret">The key as in the configuration.</param>
    /// <param name="guard">The guard's parameters, with which it may or may not be on.</param>
    public static TunnelKey FromSecret(string secret, GuardParameters guard)
    {
        string[] encrypting = [.. CipherSuite.Names.Where(n => n is not ("none" or "null"))];
        return new TunnelKey(
            [
                .. Create(encrypting, KeyDerivation.Paqet(secret), ""),
                .. Create(encrypting, KeyDerivation.Kcptun(secret), "kcptun "),
                .. Create(["none", "null"], new byte[KeyDerivation.MasterKeyLength], ""),
            ],
            guard.Create(secret),
            guardIsCertain: false);
    }

    /// <summary>What a configuration says, and nothing tried.</summary>
    public static TunnelKey FromCipher(string name, DatagramCipher cipher, Guard? guard) =>
        new([(name, cipher)], guard, guardIsCertain: guard is not null);

    /// <summary>Opens a datagram; the payload is valid until the next call.</summary>
    public bool TryOpen(ReadOnlySpan<byte> datagram, out ReadOnlySpan<byte> payload, out string cipher)
    {
        for (int i = 0; i < _ciphers.Count && datagram.Length <= _scratch.Length; i++)
        {
            (string name, DatagramCipher candidate) = _ciphers[i];
            if (!candidate.TryOpen(datagram, _scratch, out payload) || !IsBelievable(candidate, payload, _ciphers.Count == 1))
                continue;
            // The same one is the likeliest next time.
            (_ciphers[0], _ciphers[i]) = (_ciphers[i], _ciphers[0]);
            cipher = name;
            return true;
        }

        payload = default;
        cipher = "";
        return false;
    }

    // Without a checksum or tag anything opens; only what is a chain of segments was meant to. What looks like forward error correction
    // is believed only where there is nothing else that it could be: two bytes are soon alike.
    private static bool IsBelievable(DatagramCipher cipher, ReadOnlySpan<byte> payload, bool isCertain) =>
        cipher.Overhead > 0 || IsChain(payload) || (isCertain && Datagram.Classify(payload) == DropReason.Fec);

    internal static bool IsChain(ReadOnlySpan<byte> payload)
    {
        uint? conv = null;
        while (KcpSegment.TryRead(payload, out KcpSegment segment))
        {
            if ((conv ??= segment.Conv) != segment.Conv || segment.Command is < KcpCommand.Push or > KcpCommand.Unknown
                || segment.Length > payload.Length - KcpSegment.HeaderLength)
            {
                return false;
            }

            payload = payload[(KcpSegment.HeaderLength + (int)segment.Length)..];
        }

        return conv is not null && payload.IsEmpty;
    }

    private static IEnumerable<(string Name, DatagramCipher Cipher)> Create(IEnumerable<string> names, byte[] key, string prefix) =>
        names.Select(n => (prefix + n, CipherSuite.Create(n, key, new NonceGenerator(new byte[NonceGenerator.SeedLength]))));
}

/// <summary>A guard's parameters beside its key.</summary>
/// <param name="Magic">4 ASCII characters.</param>
/// <param name="WindowSeconds">How long a cookie is current.</param>
/// <param name="Skew">Windows on either side.</param>
internal sealed record GuardParameters(string Magic, int WindowSeconds, int Skew)
{
    public Guard Create(string secret) => new(Guard.DeriveKey(secret), Encoding.ASCII.GetBytes(Magic), WindowSeconds, Skew, 0);
}
