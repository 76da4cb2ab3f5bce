using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Bench.Report;
using Tunnel.Ctl.Check;

namespace Tunnel.Ctl.TuneLoop;

/// <summary>What tune-loop prints at its end.</summary>
internal static class TuneLoopOutput
{
    /// <param name="command">How a person would make the change; null: there was none to make.</param>
    public static void Print(TuneLoopResult result, string? command, TuneLoopSettings settings, IReadOnlyList<string> problems, bool json)
    {
        bool isChanged = result.Report.After is not null;
        if (json)
        {
            string? undo = isChanged && settings.Keeps ? settings.UndoPath : null;
            Console.Out.WriteLine(JsonText.Write(new TuneLoopJson(ReportJson.Of(result.Report, result.Files), isChanged, command, undo, problems)));
            return;
        }

        if (result.Report.Comparison is { } comparison)
            BenchTable.Print(Terminal.Output, comparison);
        else
            BenchTable.Print(Terminal.Output, result.Report.Before);
        Interpretation meaning = result.Report.Interpretation;
        Console.Out.WriteLine($"{meaning.Summary}\n{meaning.RuleOfThumb}");
        if (!isChanged && command is not null)
            Console.Out.WriteLine($"as root: {command}");
        foreach (string file in result.Files)
            Console.Out.WriteLine($"wrote {file}");
        if (isChanged && problems.Count == 0)
            Console.Out.WriteLine(settings.Keeps ? $"undo: tunnelctl check --revert {settings.UndoPath}" : $"{settings.Knob} is as it was");
        foreach (string problem in problems)
            Console.Error.WriteLine(problem);
    }
}

/// <summary>What tune-loop --json prints. Schema 2: names are only ever added.</summary>
/// <param name="Report">What came of it.</param>
/// <param name="IsChanged">The knob was turned for the second bench.</param>
/// <param name="Command">How a person would turn it; null: it is as it should be.</param>
/// <param name="Undo">With --keep, what undoes it; null: it is undone.</param>
/// <param name="Problems">What could not be undone.</param>
internal sealed record TuneLoopJson(ReportJson Report, bool IsChanged, string? Command, string? Undo, IReadOnlyList<string> Problems)
{
    public int Schema { get; } = 2;
}
