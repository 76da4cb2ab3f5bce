namespace Tunnel.Protocol.Kcp;

/// <summary>
/// A path that is in full use is tried in cycles of rounds: in the first, more is sent than the bottleneck is thought to take; in the slow one
/// after it less, which empties the queue that it made; in the others just as much.
/// </summary>
internal struct GainCycle
{
    private const int SlowRound = 1;

    /// <summary>When the slow round shows so much more than the cycle began with, more is tried at once.</summary>
    private const double Growth = 1.1;

    private static readonly double[] Gains = [1.25, 0.75, 1, 1, 1, 1, 1, 1];

    private int _round;
    private double _rateBefore;

    /// <summary>What is sent, times what the bottleneck takes.</summary>
    public readonly double Gain => Gains[_round];

    public readonly bool IsLast => _round == Gains.Length - 1;

    /// <summary>
    /// Goes on to the next round; true when that is another cycle's first. What the faster round brought is seen in the slow one after it: when that
    /// was more, and no queue is there, more is tried at once.
    /// </summary>
    public bool Next(double rate, bool hasQueue)
    {
        bool hasGrown = _round == SlowRound && !hasQueue && rate > _rateBefore * Growth;
        if (!hasGrown && !IsLast)
        {
            _round++;
            return false;
        }

        (_round, _rateBefore) = (0, rate);
        return true;
    }
}
