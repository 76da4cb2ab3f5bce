using System.Text.RegularExpressions;
using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Tests.Tidy;

/// <summary>The runbook's checklist and what tunnelctl check looks at are the same.</summary>
public partial class ChecklistTests
{
    [Fact]
    public void EachLineIsAFindingAndEachFindingHasALine()
    {
        string[] lines = [.. Item().Matches(Sources.Read("RUNBOOK.md")).Select(m => m.Groups["name"].Value)];
        string[] names = [.. CheckRun.Topics.SelectMany(t => t.Names)];
        Sources.ExpectNone(names.Except(lines).Select(n => $"RUNBOOK.md has no line \"- [ ] `{n}`: ...\""));
        Sources.ExpectNone(lines.Except(names).Select(n => $"RUNBOOK.md has a line for {n}, which check does not look at"));
        Assert.Equal(lines.Length, lines.Distinct().Count());
    }

    /// <summary>What can be set is looked at, too.</summary>
    [Fact]
    public void EachKnobIsAFinding() =>
        Sources.ExpectNone(KnobCatalog.All.Select(k => k.Name).Except(CheckRun.Topics.SelectMany(t => t.Names)));

    [GeneratedRegex(@"^- \[ \] `(?<name>[^`]+)`:", RegexOptions.Multiline)]
    private static partial Regex Item();
}
