namespace Tunnel.App.Runtime.Pool;

/// <summary>
/// Finds the session that loses far more than its siblings for a while: its port, its path among several, or something on it, is
/// sick, and another port may fare better. Where all lose alike, there is nothing to be gained. Pure; one owner at a time.
/// </summary>
/// <typeparam name="T">What is judged.</typeparam>
public sealed class LossJudge<T>
    where T : class
{
    /// <summary>Judgements in a row, a second each, before somebody is sick.</summary>
    public const int Patience = 10;

    /// <summary>Loss that is worth a new session, at least.</summary>
    public const double Sick = 0.15;

    /// <summary>How many times the median of its siblings.</summary>
    private const double Excess = 4;

    private Dictionary<T, int> _verdicts = [];

    /// <summary>Judges all of a server's sessions; one that is sick, or null. What is not there is forgotten.</summary>
    /// <param name="losses">0 to 1.</param>
    public T? Judge(IReadOnlyList<(T Item, double Loss)> losses)
    {
        var verdicts = new Dictionary<T, int>();
        foreach ((T item, double loss) in losses)
        {
            double[] siblings = [.. losses.Where(o => !ReferenceEquals(o.Item, item)).Select(o => o.Loss)];
            verdicts[item] = IsSick(loss, siblings) ? _verdicts.GetValueOrDefault(item) + 1 : 0;
        }

        _verdicts = verdicts;
        return verdicts.FirstOrDefault(v => v.Value >= Patience).Key;
    }

    /// <summary>Whether a loss stands out.</summary>
    /// <param name="loss">0 to 1.</param>
    /// <param name="siblings">The others'; sorted by this.</param>
    public static bool IsSick(double loss, double[] siblings)
    {
        if (siblings.Length == 0 || loss < Sick)
            return false;
        Array.Sort(siblings);
        return loss >= Excess * siblings[siblings.Length / 2];
    }
}
