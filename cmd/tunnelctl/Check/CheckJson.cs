namespace Tunnel.Ctl.Check;

/// <summary>
/// What check --json prints. Schema 2: names are only ever added. Each finding's name is stable; its words are for people.
/// </summary>
internal sealed record CheckJson(
    int Schema, TuningProfile Profile, HostIdentity Host, IReadOnlyList<FindingJson> Findings, IReadOnlyDictionary<string, int> Summary, int Exit)
{
    public static CheckJson Of(CheckReport report) => new(
        2,
        report.Context.Profile,
        report.Host,
        [.. report.Groups.SelectMany(g => g.Findings.Select(f => new FindingJson(f.Name, g.Topic, f.Verdict, f.Is, f.Should, f.Why, f.Command)))],
        Enum.GetValues<FindingVerdict>().ToDictionary(v => JsonText.Word(v), report.Count),
        report.ExitCode);
}

/// <inheritdoc cref="Finding"/>
internal sealed record FindingJson(string Name, string Topic, FindingVerdict Verdict, string Is, string Should, string Why, string? Command);
