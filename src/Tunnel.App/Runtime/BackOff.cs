namespace Tunnel.App.Runtime;

/// <summary>
/// How long to wait before trying again: from 0.5 s, doubling to 30 s, each with a random quarter more or less, so that many
/// clients of one server do not come back in step.
/// </summary>
public sealed class BackOff(Random random)
{
    public static readonly TimeSpan Minimum = TimeSpan.FromSeconds(0.5);
    public static readonly TimeSpan Maximum = TimeSpan.FromSeconds(30);

    private const double Jitter = 0.25;

    private TimeSpan _next = Minimum;

    public TimeSpan Next()
    {
        TimeSpan wait = _next;
        _next = TimeSpan.FromTicks(Math.Min(Maximum.Ticks, _next.Ticks * 2));
        return wait * (1 - Jitter + 2 * Jitter * random.NextDouble());
    }

    /// <summary>The shortest pause, for when somebody waits.</summary>
    public TimeSpan Shortest() => Minimum * (1 - Jitter + 2 * Jitter * random.NextDouble());

    public void Reset() => _next = Minimum;
}
