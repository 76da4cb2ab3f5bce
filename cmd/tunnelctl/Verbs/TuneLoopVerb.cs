using System.CommandLine;
using Spectre.Console;
using Tunnel.App.Hosting;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Knobs;
using Tunnel.Ctl.Check.Setting;
using Tunnel.Ctl.Lab;
using Tunnel.Ctl.TuneLoop;

namespace Tunnel.Ctl.Verbs;

/// <summary>tune-loop: a bench, one knob turned, the same bench, a report; and the knob turned back.</summary>
internal static class TuneLoopVerb
{
    private const string Description = """
        Does turning a knob help? Loads a target, sets one setting of this host, loads it again and sets it back, a round at a
        time and in turns, so that a machine that drifts is not taken for the knob; then writes both results (before.json,
        after.json), a report (report.md) and a chart (report.svg) into a folder. Asks before it changes anything.

        The change is undone at every end: when it is done, when something fails, at Ctrl-C, SIGTERM and SIGHUP. Only kill -9
        leaves it, and then undo.json is in the folder: tunnelctl check --revert DIR/undo.json. With --keep it stays after the
        last turn, and that file undoes it.

        A listener has its backlog cut to net.core.somaxconn when it begins to listen. So the target of this loop's own is
        started anew for each bench; others need --reload with their process ids (tunnel-client, tunnel-server: a reload has
        them listen again) or a restart of their own. Its own target is on this host's loopback: with --through it serves only
        where the tunnel's server is on this host, too; otherwise --target names one that the server reaches (bench serve there).

        Without root, or without a yes, it prints the command, measures once, and changes nothing.

        Exit codes: 0 measured before and after (or nothing had to be changed), 1 not changed, not wholly done or every
        operation failed (it says why), 2 a wrong command line.

        Examples:
          tunnelctl tune-loop
          tunnelctl tune-loop net.core.somaxconn --yes --out somaxconn
          tunnelctl tune-loop somaxconn -c 4,8,16,256 --seconds 5 --rounds 5 --value 4096
          tunnelctl tune-loop somaxconn --through socks5://127.0.0.1:1080 --reload $(pidof tunnel-client) \
              --target http://127.0.0.1:9000/
          tunnelctl tune-loop busy_poll --profile latency --workload tcp -c 1 --json
        """;

    public static Command Create()
    {
        var options = new TuneLoopOptions();
        var command = new Command("tune-loop", Description);
        options.AddTo(command);
        command.SetAction((parsed, cancel) => RunAsync(options, parsed, cancel));
        return command;
    }

    private static async Task<int> RunAsync(TuneLoopOptions o, ParseResult parsed, CancellationToken stop)
    {
        using var ended = new EndSignals(stop);
        TuneLoopRun? run = null;
        try
        {
            TuneLoopSettings settings = await SettingsOf(o, parsed, ended.Token).ConfigureAwait(false);
            Turn turn = await DecideAsync(PlanOf(settings, parsed.GetValue(o.Value)), settings, parsed.GetValue(o.Yes), ended.Token).ConfigureAwait(false);
            if (turn.Note is not null)
                await Console.Error.WriteLineAsync(turn.Note).ConfigureAwait(false);
            run = new TuneLoopRun(settings, (target, rounds, progress, cancel) => o.MeasureAsync(parsed, target, rounds, progress, cancel));
            TuneLoopResult result = await Terminal
                .WithProgressAsync("before", progress => run.RunAsync(turn.Planned, progress, ended.Token)).ConfigureAwait(false);
            TuneLoopOutput.Print(result, turn.Command, settings, run.Problems, parsed.GetValue(o.Json));
            return turn.IsWhole && run.Problems.Count == 0 ? ExitCode.Success : ExitCode.Failure;
        }
        catch (Exception e) when (e is TuningException or BenchException or LabException or FormatException or IOException or UnauthorizedAccessException
            or OperationCanceledException)
        {
            return Fail(e, run);
        }
    }

    private static async Task<TuneLoopSettings> SettingsOf(TuneLoopOptions o, ParseResult parsed, CancellationToken cancel)
    {
        var request = new CheckRequest { Profile = parsed.GetValue(o.Profile), Interface = parsed.GetValue(o.Interface) };
        CheckContext context = await CheckContext.GatherAsync(request, () => Task.CompletedTask, cancel).ConfigureAwait(false);
        return new TuneLoopSettings(
            KnobCatalog.Find(parsed.GetRequiredValue(o.Knob))!.Name,
            context,
            o.TargetOf(parsed),
            o.ReloadsOf(parsed),
            parsed.GetValue(o.Out) ?? TuneLoopSettings.DefaultFolder(),
            o.RoundsOf(parsed),
            parsed.GetValue(o.Keep),
            parsed.GetValue(o.Value) is not null);
    }

    /// <summary>Null when the knob is as it should be already.</summary>
    /// <exception cref="TuningException">What it is now is not known, so nothing could be set back.</exception>
    /// <exception cref="FormatException">That is no value for it.</exception>
    private static PlannedChange? PlanOf(TuneLoopSettings settings, string? value)
    {
        Knob knob = KnobCatalog.Find(settings.Knob)!;
        Reading now = knob.Read(settings.Context);
        if (now.Text is null || value is null && knob.Judge(settings.Context, now).Problem is not null)
            throw new TuningException($"{knob.Name}: {now.Problem ?? knob.Judge(settings.Context, now).Problem}");
        if (value is null)
            return new Tuning(settings.Context).Plan(knob.Name) is [var planned] ? planned : null;
        if (knob.Objection(now, value) is { } objection)
            throw new FormatException($"--value: {objection}");
        return string.Join(' ', now.Words) == value ? null : new PlannedChange(knob.Name, now.Text, value, knob.Command(settings.Context, value));
    }

    private static async Task<Turn> DecideAsync(PlannedChange? planned, TuneLoopSettings settings, bool yes, CancellationToken cancel)
    {
        if (planned is null)
            return new Turn(null, null, IsWhole: true, $"{settings.Knob} is as it should be already: measuring once");
        string command = planned.Command;
        if (!settings.Context.Calls.IsRoot)
            return new Turn(null, command, IsWhole: false, "not root: nothing is changed, measuring once; the command is below");
        if (!yes && !Terminal.CanAsk)
            return new Turn(null, command, IsWhole: false, "nobody can be asked here: nothing is changed, measuring once; --yes changes without asking");
        if (!yes && !await AskAsync(planned, cancel).ConfigureAwait(false))
            return new Turn(null, command, IsWhole: false, "nothing is changed, measuring once");
        return new Turn(planned, command, IsWhole: true, $"if this is killed: tunnelctl check --revert {settings.UndoPath}");
    }

    private static Task<bool> AskAsync(PlannedChange planned, CancellationToken cancel)
    {
        Console.Error.WriteLine($"  {planned.Command}  # is {string.Join(' ', new Reading(planned.Before, null).Words)}");
        return new ConfirmationPrompt("Set this between the two benches?") { DefaultValue = false }.ShowAsync(Terminal.Error, cancel);
    }

    private static int Fail(Exception e, TuneLoopRun? run)
    {
        foreach (string problem in run?.Problems ?? [])
            Console.Error.WriteLine(problem);
        bool asked = e is OperationCanceledException;
        Console.Error.WriteLine(asked ? "stopped before the end; what was changed has been undone" : e.Message);
        return e is FormatException ? ExitCode.Usage : ExitCode.Failure;
    }

    /// <param name="Planned">What is done between the benches; null: nothing.</param>
    /// <param name="Command">How a person would do it; null: there is nothing to do.</param>
    /// <param name="IsWhole">This is all that was asked for.</param>
    /// <param name="Note">What the user should know beforehand.</param>
    private sealed record Turn(PlannedChange? Planned, string? Command, bool IsWhole, string? Note);
}
