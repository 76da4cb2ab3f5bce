using System.CommandLine;
using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Knobs;
using Tunnel.Ctl.Check.Setting;
using Tunnel.Ctl.Check.Snapshots;

namespace Tunnel.Ctl.Verbs;

/// <summary>check: the host and the file, what they should be for a profile, and the commands that make them so.</summary>
internal static class CheckVerb
{
    private const string Description = """
        Look at this host and, with --config, at a file of either end: what is, what should be, and why. Below is the command
        for each line that is not as it should be.

        Exit codes: 0 all good, 1 advice (or something asked for was not done), 2 a wrong command line, 8 something is broken.

        Examples:
          tunnelctl check --config /etc/tunnel/client.toml
          tunnelctl check --profile latency --json
          tunnelctl check --snapshot before.json && run-the-load && tunnelctl check --snapshot after.json
          tunnelctl check --diff before.json after.json
          tunnelctl check --apply --profile throughput --persist
          tunnelctl check --apply --only net.core.somaxconn --yes --undo undo.json
          tunnelctl check --revert undo.json
        """;

    public static Command Create()
    {
        var o = new CheckOptions();
        var command = new Command("check", Description);
        foreach (Option option in o.All)
            command.Options.Add(option);
        command.Validators.Add(o.Validate);
        command.SetAction((parsed, cancel) => RunAsync(o, parsed, cancel));
        return command;
    }

    private static async Task<int> RunAsync(CheckOptions o, ParseResult parsed, CancellationToken cancel)
    {
        try
        {
            CheckRequest request = o.RequestOf(parsed);
            bool json = parsed.GetValue(o.Json);
            if (parsed.GetValue(o.Diff) is [var before, var after])
                return Compare(before, after, json);
            if (parsed.GetValue(o.Revert) is { } undo)
                return RevertRun.Run(request.Files, request.Calls, undo, json);
            if (parsed.GetValue(o.Apply))
                return await ApplyAsync(request, o.ApplyOptionsOf(parsed), cancel).ConfigureAwait(false);
            return await LookAsync(o, parsed, request, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TuningException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return CheckExit.Advice;
        }
    }

    private static int Compare(string before, string after, bool json)
    {
        SnapshotDiff diff = SnapshotDiff.Of(Snapshot.Read(before), Snapshot.Read(after));
        if (json)
            Console.Out.WriteLine(JsonText.Write(diff));
        else
            diff.Print(Console.Out);
        return CheckExit.Good;
    }

    private static async Task<int> ApplyAsync(CheckRequest request, ApplyOptions options, CancellationToken cancel)
    {
        CheckContext context = await CheckContext.GatherAsync(request, () => Task.CompletedTask, cancel).ConfigureAwait(false);
        return await ApplyRun.RunAsync(context, options, cancel).ConfigureAwait(false);
    }

    private static async Task<int> LookAsync(CheckOptions o, ParseResult parsed, CheckRequest request, CancellationToken cancel)
    {
        CheckReport report = await Terminal.WithProgressAsync("looking", p => CheckRun.RunAsync(request, p, cancel)).ConfigureAwait(false);
        string? snapshot = parsed.GetValue(o.Snapshot);
        if (snapshot is not null)
            Snapshot.Of(report).Create(snapshot);
        if (parsed.GetValue(o.Only) is { } only)
            report = report.Only(KnobCatalog.Find(only)?.Name ?? only);
        if (parsed.GetValue(o.Json))
            Console.Out.WriteLine(JsonText.Write(CheckJson.Of(report)));
        else if (snapshot is not null)
            Console.Out.WriteLine($"wrote {snapshot}");
        else
            CheckTable.Print(Terminal.Output, Console.Out, report);
        return snapshot is not null ? CheckExit.Good : report.ExitCode;
    }
}
