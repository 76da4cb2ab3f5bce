using System.Runtime.CompilerServices;

namespace Tunnel.Protocol.Kcp;

/// <summary>
/// What a path loses, and whether by itself or because of what is sent: the rounds of a cycle send more and less, and chance loses as much of the one as
/// of the other, a queue does not. What the path loses by itself is made up for, as so much more has to leave for the same to arrive; otherwise a fifth
/// lost would eat up what faster rounds try, and the rate could only fall.
/// </summary>
internal struct PathLoss
{
    private const double MostLoss = 0.5;

    /// <summary>The slow round sends three quarters of the rate, the usual ones one more.</summary>
    private const int StepsToNothing = 3;

    /// <summary>What became of all that was sent in a round is known as many rounds later.</summary>
    private const int OpenRounds = 3;

    /// <summary>Of what was known before, with each cycle.</summary>
    private const double Memory = 0.85;

    /// <summary>The usual rounds' rate lies half-way between the slow and the fast one's, and so does their loss on a shared line, give or take chance.</summary>
    private const double SharedPart = 0.25;

    /// <summary>With fewer, a queue's loss might have passed unseen.</summary>
    private const double ChanceLost = 50;
    private const double ChanceDeviations = 1;

    /// <summary>Deviations that chance does not reach.</summary>
    private const double Deviations = 3;

    /// <summary>What was sent, and what was lost of it, by what the round sent of the rate.</summary>
    private Sample _fast;
    private Sample _slow;
    private Sample _usual;

    private Rounds _rounds;

    /// <summary>How long the path was thought to be when its loss was learnt.</summary>
    private int _learntAt;

    /// <summary>Of what is sent, 0 to 0.5: what is lost while less is sent than the bottleneck takes, and no queue is there.</summary>
    public double Share { get; private set; }

    /// <summary>
    /// The more is sent the more of it is lost, also between less than the bottleneck's rate and just that: others use it, too, whether its queue is
    /// long enough to be seen or not. A line that only the faster round overruns is this end's alone.
    /// </summary>
    public readonly bool IsShared =>
        _fast.IsAbove(_slow, Deviations) && _usual.Share - _slow.Share > SharedPart * (_fast.Share - _slow.Share);

    /// <summary>Much has been lost, and no more of it while more was sent: chance, whatever looks like a queue.</summary>
    public readonly bool IsChance =>
        _slow.Lost >= ChanceLost && _fast.Lost >= ChanceLost && !_fast.IsAbove(_slow, ChanceDeviations);

    public void Forget()
    {
        (Share, _learntAt) = (0, 0);
        (_fast, _slow, _usual) = (default, default, default);
        // What is still open was another path's.
        for (int i = 0; i < OpenRounds; i++)
            _rounds[i].Gain = 0;
    }

    /// <summary>What was taken for the path's loss was lost in a queue, if that was taken for the path.</summary>
    public void Revise(in PathLength length)
    {
        if (length.HasQueue(_learntAt))
            (Share, _learntAt) = (0, 0);
    }

    /// <summary>A transmission has been declared lost.</summary>
    public void OnLost(ulong transmission)
    {
        for (int i = 0; i < OpenRounds; i++)
        {
            if (transmission <= _rounds[i].From)
                continue;
            _rounds[i].Sample.Lost++;
            break;
        }
    }

    /// <summary>A round is over: what became of an earlier one is known, and teaches.</summary>
    /// <param name="sent">The newest transmission; the next round begins behind it.</param>
    /// <param name="gain">What was sent in the one that is over, times the bottleneck's rate; 0 when that was something else.</param>
    /// <param name="hasQueue">Now.</param>
    /// <param name="milliseconds">How long the path is thought to be.</param>
    public void EndRound(ulong sent, double gain, bool hasQueue, int milliseconds)
    {
        _rounds[0].Gain = gain;
        _rounds[0].Sample.Sent = sent - _rounds[0].From;
        Learn(_rounds[OpenRounds - 1], hasQueue, milliseconds);
        for (int i = OpenRounds - 1; i > 0; i--)
            _rounds[i] = _rounds[i - 1];
        _rounds[0] = new Round { From = sent };
    }

    private void Learn(in Round round, bool hasQueue, int milliseconds)
    {
        if (round.Gain > 1)
        {
            _fast.Add(round.Sample, Memory);
        }
        else if (round.Gain == 1)
        {
            _usual.Add(round.Sample, 1);
        }
        else if (round.Gain > 0)
        {
            _usual.Fade(Memory);
            _slow.Add(round.Sample, Memory);
            LearnShare(round.Sample.Share, hasQueue, milliseconds);
        }
    }

    /// <summary>Of what more is lost of, the more is sent, counts only what would be lost if nothing was.</summary>
    private void LearnShare(double share, bool hasQueue, int milliseconds)
    {
        if (IsShared)
            Share = Math.Clamp(share - (StepsToNothing * (_usual.Share - _slow.Share)), 0, Share);
        else if (!hasQueue || IsChance)
            (Share, _learntAt) = (Math.Min(MostLoss, Share + ((share - Share) / 4)), milliseconds);
    }

    /// <summary>Of so many transmissions so many were lost.</summary>
    private struct Sample
    {
        private const double LeastLost = 10;

        public double Sent;
        public double Lost;

        public readonly double Share => Sent == 0 ? 0 : Lost / Sent;

        public void Fade(double memory) => (Sent, Lost) = (Sent * memory, Lost * memory);

        public void Add(in Sample other, double memory)
        {
            Fade(memory);
            (Sent, Lost) = (Sent + other.Sent, Lost + other.Lost);
        }

        /// <summary>More of it is lost than of the other, by more than so many deviations of chance.</summary>
        public readonly bool IsAbove(in Sample other, double deviations)
        {
            if (Sent == 0 || other.Sent == 0 || Lost < LeastLost)
                return false;
            double share = Math.Min(1, (Lost + other.Lost) / (Sent + other.Sent));
            double variance = share * (1 - share) * ((1 / Sent) + (1 / other.Sent));
            return Share - other.Share > deviations * Math.Sqrt(variance);
        }
    }

    private struct Round
    {
        public ulong From;
        public double Gain;
        public Sample Sample;
    }

    [InlineArray(OpenRounds)]
    private struct Rounds
    {
        private Round _first;
    }
}
