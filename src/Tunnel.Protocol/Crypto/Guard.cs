using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// The guard of the paqet wire format: twelve bytes in front of every datagram, outside of its encryption, by which a receiver refuses
/// strangers before it decrypts anything.
/// <code>magic 4 | cookie 8 = the first bytes of HMAC-SHA256(key, magic | window, big-endian 8) | datagram</code>
/// The window is the Unix time divided by the window's length. A cookie is the same for all senders of a window and says nothing about
/// the datagram behind it. Written is the present window's; accepted are also its neighbours on both sides, because a quiet peer is
/// slow to move to the next window. One owner at a time.
/// </summary>
public sealed class Guard
{
    /// <summary>Bytes in front of a datagram.</summary>
    public const int PrefixLength = 12;

    /// <summary>Bytes in the key.</summary>
    public const int KeyLength = 32;

    /// <summary>Bytes in the magic.</summary>
    public const int MagicLength = 4;

    /// <summary>The longest window, in seconds.</summary>
    public const int MaxWindowSeconds = 3600;

    /// <summary>The most windows that are accepted on either side of the present one.</summary>
    public const int MaxSkewWindows = 10;

    private const int Iterations = 100_000;

    private readonly byte[] _key;
    private readonly byte[] _magic;
    private readonly int _windowSeconds;
    private readonly int _skewWindows;
    private readonly ulong[] _cookies;
    private long _window;

    /// <param name="key"><see cref="KeyLength"/> bytes, from <see cref="DeriveKey"/>.</param>
    /// <param name="magic"><see cref="MagicLength"/> bytes; both ends have the same.</param>
    /// <param name="windowSeconds">1 to <see cref="MaxWindowSeconds"/>; both ends have the same.</param>
    /// <param name="skewWindows">0 to <see cref="MaxSkewWindows"/>; 0 means 1.</param>
    /// <param name="unixSeconds">The time now, not negative.</param>
    /// <exception cref="ArgumentException">A parameter is outside of its range.</exception>
    public Guard(ReadOnlySpan<byte> key, ReadOnlySpan<byte> magic, int windowSeconds, int skewWindows, long unixSeconds)
    {
        if (key.Length != KeyLength)
            throw new ArgumentException($"the guard's key is {KeyLength} bytes", nameof(key));
        if (magic.Length != MagicLength)
            throw new ArgumentException($"the guard's magic is {MagicLength} bytes", nameof(magic));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)(windowSeconds - 1), (uint)(MaxWindowSeconds - 1), nameof(windowSeconds));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)skewWindows, (uint)MaxSkewWindows, nameof(skewWindows));

        _key = key.ToArray();
        _magic = magic.ToArray();
        _windowSeconds = windowSeconds;
        _skewWindows = Math.Max(1, skewWindows);
        _cookies = new ulong[2 * _skewWindows + 1];
        Compute(WindowAt(unixSeconds));
    }

    /// <summary>The guard's key from the tunnel's secret. Slow by design.</summary>
    public static byte[] DeriveKey(string secret) =>
        Rfc2898DeriveBytes.Pbkdf2(secret, "paqet_guard"u8, Iterations, HashAlgorithmName.SHA256, KeyLength);

    /// <summary>Tells the time. Nearly free while the window lasts, so it may be called for every batch; the time may step back.</summary>
    public void Refresh(long unixSeconds)
    {
        long window = WindowAt(unixSeconds);
        if (window != _window)
            Compute(window);
    }

    /// <summary>Writes the present window's <see cref="PrefixLength"/> bytes.</summary>
    public void Write(Span<byte> prefix)
    {
        _magic.CopyTo(prefix);
        BinaryPrimitives.WriteUInt64LittleEndian(prefix[MagicLength..PrefixLength], _cookies[_skewWindows]);
    }

    /// <summary>Whether a payload begins with a prefix that is acceptable now. Takes the same time whatever the cookie is.</summary>
    public GuardVerdict Check(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < PrefixLength)
            return GuardVerdict.TooShort;
        if (!payload[..MagicLength].SequenceEqual(_magic))
            return GuardVerdict.BadMagic;
        return IsAcceptable(BinaryPrimitives.ReadUInt64LittleEndian(payload[MagicLength..])) ? GuardVerdict.Pass : GuardVerdict.BadCookie;
    }

    /// <summary>The datagrams of a payload: one, or several if the segments that carried them were merged on their way.</summary>
    public GuardSplitter Split(ReadOnlySpan<byte> payload) => new(this, payload);

    /// <summary>Where the payload's first datagram, prefix included, ends: at the next acceptable prefix, or with the payload.</summary>
    internal int FindEnd(ReadOnlySpan<byte> payload)
    {
        int from = PrefixLength;
        while (true)
        {
            int found = payload[from..].IndexOf(_magic);
            if (found < 0)
                return payload.Length;
            from += found;
            if (Check(payload[from..]) == GuardVerdict.Pass)
                return from;
            from++;
        }
    }

    private long WindowAt(long unixSeconds) => unixSeconds / _windowSeconds;

    private void Compute(long window)
    {
        _window = window;
        for (int i = 0; i < _cookies.Length; i++)
            _cookies[i] = CookieOf(window - _skewWindows + i);
    }

    private ulong CookieOf(long window)
    {
        Span<byte> message = stackalloc byte[MagicLength + sizeof(long)];
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        _magic.CopyTo(message);
        BinaryPrimitives.WriteInt64BigEndian(message[MagicLength..], window);
        HMACSHA256.HashData(_key, message, hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }

    // No branch depends on a cookie's bytes: every one is compared, and the answers are gathered in one bit.
    private bool IsAcceptable(ulong cookie)
    {
        ulong match = 0;
        foreach (ulong acceptable in _cookies)
        {
            ulong difference = cookie ^ acceptable;
            match |= ~(difference | (0 - difference));
        }

        return match >> 63 != 0;
    }
}
