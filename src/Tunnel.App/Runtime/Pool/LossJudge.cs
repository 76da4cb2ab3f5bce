namespace Tunnel.App.Runtime.Pool;

/// <summary>
/// Finds the connection that loses far more than its siblings for a while: its port, its path among several, or something on it, is
/// sick, and another port may fare better. Where all lose alike, there is nothing to be gained. One owner at a time.
/// </summary>
internal sealed class LossJudge
{
    /// <summary>Loss that is worth a new session, at least.</summary>
    private const double Sick = 0.15;

    /// <summary>How many times the median of its siblings.</summary>
    private const double Excess = 4;

    /// <summary>Judgements in a row; a second each.</summary>
    private const int Patience = 10;

    private readonly Dictionary<PeerSession, int> _verdicts = [];

    /// <summary>Judges a server's connections, and has the sick one replaced.</summary>
    public void Judge(PoolServer server)
    {
        (ClientConnection Connection, PeerSession Session)[] up =
            [.. server.Connections.Where(c => c.Session is not null).Select(c => (c, c.Session!))];
        foreach (PeerSession gone in _verdicts.Keys.Where(s => s.IsClosed).ToArray())
            _verdicts.Remove(gone);
        foreach ((ClientConnection connection, PeerSession session) in up)
        {
            double[] siblings = [.. up.Where(o => o.Session != session).Select(o => LossOf(o.Session))];
            _verdicts[session] = IsSick(LossOf(session), siblings) ? _verdicts.GetValueOrDefault(session) + 1 : 0;
            if (_verdicts[session] >= Patience && connection.TryReplace($"it loses {LossOf(session):P0}, and others do not"))
                return;
        }
    }

    /// <summary>Whether a loss stands out.</summary>
    /// <param name="loss">0 to 1.</param>
    /// <param name="siblings">The others'.</param>
    public static bool IsSick(double loss, double[] siblings)
    {
        if (siblings.Length == 0 || loss < Sick)
            return false;
        Array.Sort(siblings);
        return loss >= Excess * siblings[siblings.Length / 2];
    }

    private static double LossOf(PeerSession session) => session.Health?.Loss ?? 0;
}
