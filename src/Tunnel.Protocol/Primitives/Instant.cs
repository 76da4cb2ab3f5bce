namespace Tunnel.Protocol.Primitives;

/// <summary>
/// A point on the owner's monotonic clock: nanoseconds since an origin that the owner chose. Eight bytes, ordered, never negative.
/// The protocol never reads a clock; it is told the time with every input.
/// </summary>
public readonly record struct Instant(long Nanoseconds) : IComparable<Instant>
{
    /// <summary>The clock's origin.</summary>
    public static readonly Instant Zero = new(0);

    /// <summary>A deadline that never comes.</summary>
    public static readonly Instant Never = new(long.MaxValue);

    public static Instant FromMilliseconds(long milliseconds) => new(milliseconds * 1_000_000);

    /// <summary>Whole milliseconds since the origin.</summary>
    public long Milliseconds => Nanoseconds / 1_000_000;

    /// <summary>The low 32 bits of <see cref="Milliseconds"/>: what KCP writes as its timestamp.</summary>
    public uint Milliseconds32 => (uint)Milliseconds;

    public Instant AddMilliseconds(long milliseconds) =>
        this == Never ? Never : new(Nanoseconds + milliseconds * 1_000_000);

    public Instant Add(TimeSpan span) => this == Never ? Never : new(Nanoseconds + span.Ticks * 100);

    public static TimeSpan operator -(Instant later, Instant earlier) => TimeSpan.FromTicks((later.Nanoseconds - earlier.Nanoseconds) / 100);

    public static bool operator <(Instant a, Instant b) => a.Nanoseconds < b.Nanoseconds;

    public static bool operator >(Instant a, Instant b) => a.Nanoseconds > b.Nanoseconds;

    public static bool operator <=(Instant a, Instant b) => a.Nanoseconds <= b.Nanoseconds;

    public static bool operator >=(Instant a, Instant b) => a.Nanoseconds >= b.Nanoseconds;

    public static Instant Min(Instant a, Instant b) => a < b ? a : b;

    public int CompareTo(Instant other) => Nanoseconds.CompareTo(other.Nanoseconds);

    public override string ToString() => this == Never ? "never" : $"{Nanoseconds / 1e6:0.###}ms";
}
