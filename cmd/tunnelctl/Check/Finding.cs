namespace Tunnel.Ctl.Check;

/// <summary>One line of a check.</summary>
/// <param name="Name">What was looked at: a sysctl by its own name, anything else as topic.thing. Stable; the runbook's checklist has it.</param>
/// <param name="Verdict">What it comes to.</param>
/// <param name="Is">What it is now, with its unit; for <see cref="FindingVerdict.Unknown"/> why that is not known.</param>
/// <param name="Should">What it should be for the profile; empty where that is obvious or depends on more than can be seen.</param>
/// <param name="Why">One clause.</param>
/// <param name="Command">What changes it, to be run as it stands; null when there is nothing to change or no command for it.</param>
internal sealed record Finding(string Name, FindingVerdict Verdict, string Is, string Should, string Why, string? Command = null)
{
    public static Finding Good(string name, string now, string should, string why) => new(name, FindingVerdict.Good, now, should, why);

    public static Finding Unknown(string name, string reason, string why) => new(name, FindingVerdict.Unknown, reason, "", why);

    /// <summary>Advice unless it is met.</summary>
    public static Finding Of(string name, bool met, string now, string should, string why, string? command = null) =>
        new(name, met ? FindingVerdict.Good : FindingVerdict.Advice, now, should, why, met ? null : command);

    /// <summary>Broken unless it is met.</summary>
    public static Finding Must(string name, bool met, string now, string should, string why, string? command = null) =>
        new(name, met ? FindingVerdict.Good : FindingVerdict.Broken, now, should, why, met ? null : command);
}

/// <summary>The findings about one thing, under a heading.</summary>
internal sealed record FindingGroup(string Topic, string Title, IReadOnlyList<Finding> Findings);
