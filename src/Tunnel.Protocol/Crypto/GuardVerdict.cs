namespace Tunnel.Protocol.Crypto;

/// <summary>What <see cref="Guard.Check"/> says of a payload.</summary>
public enum GuardVerdict : byte
{
    Pass,

    /// <summary>Shorter than the guard's prefix.</summary>
    TooShort,

    /// <summary>The magic is another: not a peer of this tunnel.</summary>
    BadMagic,

    /// <summary>The magic is right and the cookie is not: another key, or a clock that is off by more than the skew.</summary>
    BadCookie,
}
