namespace Tunnel.Ctl.Check;

/// <summary>What a check found.</summary>
internal sealed record CheckReport(HostIdentity Host, CheckContext Context, IReadOnlyList<FindingGroup> Groups)
{
    public IEnumerable<Finding> Findings => Groups.SelectMany(g => g.Findings);

    public int Count(FindingVerdict verdict) => Findings.Count(f => f.Verdict == verdict);

    /// <summary>By the worst finding; what is unknown counts for nothing.</summary>
    public int ExitCode => Count(FindingVerdict.Broken) != 0 ? CheckExit.Broken : Count(FindingVerdict.Advice) != 0 ? CheckExit.Advice : CheckExit.Good;

    /// <summary>Only the findings of that name.</summary>
    public CheckReport Only(string name) => this with
    {
        Groups = [.. Groups.Select(g => g with { Findings = [.. g.Findings.Where(f => f.Name == name)] }).Where(g => g.Findings.Count > 0)],
    };
}

/// <summary>What the exit of check says. 2 is a wrong command line, as everywhere.</summary>
internal static class CheckExit
{
    /// <summary>Everything that could be found out is as it should be.</summary>
    public const int Good = 0;

    /// <summary>It works, and there is advice; or something that was asked for could not be done.</summary>
    public const int Advice = 1;

    /// <summary>Something is broken: the tunnel cannot work like this.</summary>
    public const int Broken = 8;
}
