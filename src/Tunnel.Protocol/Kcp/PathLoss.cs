namespace Tunnel.Protocol.Kcp;

/// <summary>
/// What a path loses by itself: what is lost while less is sent than the bottleneck takes, and no queue is there. So much more has to leave for
/// the same to arrive. Otherwise a fifth lost would eat up what faster rounds try, and the rate could only fall.
/// </summary>
internal struct PathLoss
{
    private const double MostLoss = 0.5;

    /// <summary>How long the path was thought to be when its loss was learnt.</summary>
    private int _learntAt;
    private int _slowLost;
    private ulong _slowFrom;
    private ulong _slowUntil;

    /// <summary>Of what is sent, 0 to 0.5.</summary>
    public double Share { get; private set; }

    public void Forget() => Share = _learntAt = 0;

    /// <summary>What was taken for the path's loss was lost in a queue, if that was taken for the path.</summary>
    public void Revise(in PathLength length)
    {
        if (length.HasQueue(_learntAt))
            Forget();
    }

    /// <summary>Less is sent than the bottleneck takes, from the transmission after <paramref name="sent"/> on.</summary>
    public void BeginSlowRound(ulong sent) => (_slowFrom, _slowUntil, _slowLost) = (sent + 1, ulong.MaxValue, 0);

    /// <summary>The last transmission of the slow round.</summary>
    public void EndSlowRound(ulong sent) => _slowUntil = sent + 1;

    /// <summary>A transmission has been declared lost.</summary>
    public void OnLost(ulong transmission)
    {
        if (transmission >= _slowFrom && transmission < _slowUntil)
            _slowLost++;
    }

    /// <summary>What became of the slow round is known, and there is no queue.</summary>
    /// <param name="milliseconds">How long the path is thought to be.</param>
    public void Learn(int milliseconds)
    {
        if (_slowUntil <= _slowFrom)
            return;
        double share = (double)_slowLost / (_slowUntil - _slowFrom);
        Share = Math.Min(MostLoss, Share + ((share - Share) / 4));
        _learntAt = milliseconds;
    }
}
