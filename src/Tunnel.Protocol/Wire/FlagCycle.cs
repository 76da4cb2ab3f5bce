namespace Tunnel.Protocol.Wire;

/// <summary>
/// The flags that one destination's segments wear, one set a segment, round and round. In the paqet wire format the list is the sender's
/// own, or what the client announced. Receivers do not look at it.
/// </summary>
public sealed class FlagCycle
{
    /// <summary>Sets in a list that a peer may announce.</summary>
    public const int MaxLength = 64;

    private readonly ushort[] _flags;
    private int _next;

    /// <summary>Starts at the list's first set.</summary>
    /// <param name="flags">Bitmasks of <see cref="TcpFlags"/>; an empty list means <see cref="TcpFlags.Default"/>.</param>
    /// <exception cref="ArgumentException">More than <see cref="MaxLength"/> sets, or unknown bits in one.</exception>
    public FlagCycle(ReadOnlySpan<ushort> flags)
    {
        if (flags.Length > MaxLength)
            throw new ArgumentException($"at most {MaxLength} sets of flags", nameof(flags));
        if (flags.ContainsAnyExceptInRange<ushort>(0, TcpFlags.All))
            throw new ArgumentException("a set of flags has nine bits", nameof(flags));
        _flags = flags.IsEmpty ? [TcpFlags.Default] : flags.ToArray();
    }

    /// <summary>The sets, in their order.</summary>
    public ReadOnlySpan<ushort> Flags => _flags;

    /// <summary>The next segment's flags.</summary>
    public ushort Next()
    {
        ushort flags = _flags[_next];
        _next = _next + 1 == _flags.Length ? 0 : _next + 1;
        return flags;
    }
}
