using System.CommandLine;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Bench.Report;
using Tunnel.Ctl.Check;

namespace Tunnel.Ctl.Verbs;

/// <summary>bench report: a note about one kept result, or about two with something changed in between.</summary>
internal static class BenchReportVerb
{
    private const string Description = """
        A note in Markdown, with a chart, about what bench --save kept. In it are current and target values, tables, listen
        queues, the host before and after, and what it means. With two files it says what changed, and whether more than noise;
        with one, what there is to compare with.

        Exit codes: 0 written, 1 not (the message says why), 2 a wrong command line.

        Examples:
          tunnelctl bench report before.json after.json --out note.md
          tunnelctl bench report before.json
          tunnelctl bench report before.json after.json --knob net.core.somaxconn --json
        """;

    public static Command Create()
    {
        var before = new Argument<string>("before") { Description = "A file of bench --save" };
        var after = new Argument<string?>("after") { Description = "Another, of the same load", Arity = ArgumentArity.ZeroOrOne };
        var knob = new Option<string?>("--knob") { Description = "What it is about, such as somaxconn; the one that was changed unless told", HelpName = "NAME" };
        var path = new Option<string?>("--out", "-o") { Description = "Write the note here and the chart beside it, instead of printing the note", HelpName = "FILE.md" };
        var json = new Option<bool>("--json") { Description = "JSON instead of the note" };
        var command = new Command("report", Description) { before, after, knob, path, json };
        command.SetAction((parsed, _) => BenchVerb.Guarded(() =>
        {
            BenchResult? second = parsed.GetValue(after) is { } file ? BenchFile.Load(file) : null;
            var report = BenchReport.Of(BenchFile.Load(parsed.GetValue(before)!), second, parsed.GetValue(knob));
            Show(report, parsed.GetValue(path), parsed.GetValue(json));
            return Task.CompletedTask;
        }));
        return command;
    }

    private static void Show(BenchReport report, string? path, bool json)
    {
        IReadOnlyList<string> files = path is null ? [] : ReportFiles.Write(report, path);
        if (json)
            Console.Out.WriteLine(JsonText.Write(ReportJson.Of(report, files)));
        else if (path is null)
            Console.Out.Write(ReportMarkdown.Write(report, null));
        foreach (string file in json ? [] : files)
            Console.Out.WriteLine($"wrote {file}");
    }
}
