using System.Globalization;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Bench.Report;
using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Setting;
using Tunnel.Ctl.Lab;

namespace Tunnel.Ctl.TuneLoop;

/// <summary>
/// One knob: measured as it is, set, measured again, set back, and so on in turns, a round each: a machine that drifts (other work, a warm cache)
/// would otherwise be taken for the knob. Files of both, and a report.
/// </summary>
/// <param name="settings">What was asked for.</param>
/// <param name="measure">Loads the target for so many rounds; told what is under way.</param>
internal sealed class TuneLoopRun(TuneLoopSettings settings, Func<TuneTarget, int, Action<string>, CancellationToken, Task<BenchResult>> measure)
{
    private static readonly string[] FileNames = ["before.json", "after.json", "report.md", "report.svg", "undo.json"];

    private readonly Tuning _tuning = new(settings.Context);
    private readonly ListenerReload _reload = new(settings.Reloads);
    private readonly List<string> _problems = [];

    /// <summary>What could not be undone, however the loop ended.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <param name="planned">The change; null: measure once, as it is.</param>
    /// <param name="progress">Told what is under way.</param>
    /// <exception cref="OperationCanceledException">It was asked to end; what was changed has been undone.</exception>
    public async Task<TuneLoopResult> RunAsync(PlannedChange? planned, Action<string> progress, CancellationToken cancel)
    {
        Directory.CreateDirectory(settings.Folder);
        if (FileNames.Select(n => Path.Combine(settings.Folder, n)).FirstOrDefault(File.Exists) is { } taken)
            throw new BenchException($"{taken} is there already and is not written over");
        await using TuneTarget target = settings.Target;
        if (planned is null)
        {
            BenchResult once = await MeasureAsync(target, settings.Rounds, "before", progress, cancel).ConfigureAwait(false);
            Expect(once);
            return Report(once, null);
        }

        if (settings.TriesFirst)
            Try(planned);
        BenchResult? before = null, after = null;
        for (int turn = 1; turn <= settings.Rounds; turn++)
        {
            string where = $"turn {turn} of {settings.Rounds}, ";
            before = BenchResult.Join(before, await MeasureAsync(target, 1, where + "before", progress, cancel).ConfigureAwait(false));
            Expect(before);
            bool keeps = settings.Keeps && turn == settings.Rounds;
            after = BenchResult.Join(after, await MeasureChangedAsync(target, planned, keeps, where + "after", progress, cancel).ConfigureAwait(false));
        }

        return Report(before!, after);
    }

    /// <summary>Sets the knob and sets it back: what the kernel refuses is known before anything has been measured.</summary>
    /// <exception cref="TuningException">It refuses.</exception>
    private void Try(PlannedChange planned)
    {
        var trial = HeldChange.Apply(_tuning, planned, settings.UndoPath);
        trial.Dispose();
        _problems.AddRange(trial.Problems);
    }

    private async Task<BenchResult> MeasureChangedAsync(
        TuneTarget target, PlannedChange planned, bool keeps, string title, Action<string> progress, CancellationToken cancel)
    {
        using var held = HeldChange.Apply(_tuning, planned, settings.UndoPath);
        bool isKept = false;
        try
        {
            await _reload.ListenAgainAsync(cancel).ConfigureAwait(false);
            BenchResult result = await MeasureAsync(target, 1, title, progress, cancel).ConfigureAwait(false);
            // Not before: what breaks off leaves nothing behind.
            if (isKept = keeps)
                held.Keep();
            return result;
        }
        finally
        {
            await UndoAsync(held, isKept).ConfigureAwait(false);
        }
    }

    /// <summary>Also while an exception is on its way, which nothing here is to hide.</summary>
    private async Task UndoAsync(HeldChange held, bool isKept)
    {
        held.Dispose();
        _problems.AddRange(held.Problems);
        if (isKept)
            return;
        try
        {
            // Whoever listens with the changed value is to have the old one again. Not cancelled: this is part of undoing.
            await _reload.ListenAgainAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (LabException e)
        {
            _problems.Add(e.Message);
        }
    }

    private async Task<BenchResult> MeasureAsync(TuneTarget target, int rounds, string title, Action<string> progress, CancellationToken cancel)
    {
        await target.ListenAsync(cancel).ConfigureAwait(false);
        var request = new CheckRequest { Profile = settings.Context.Profile, Interface = settings.Context.Interface };
        void Say(string text) => progress($"{title}: {text}");
        return await HostRecord.AddToAsync(request, () => measure(target, rounds, Say, cancel), Say, cancel).ConfigureAwait(false);
    }

    /// <summary>Where nothing goes before the change, that nothing goes after it is no finding.</summary>
    /// <exception cref="BenchException">Every operation failed.</exception>
    private static void Expect(BenchResult result) => result.ThrowIfEmpty("; --target names one that the tunnel's server reaches");

    private TuneLoopResult Report(BenchResult before, BenchResult? after)
    {
        List<string> files = [Save("before.json", before)];
        if (after is not null)
            files.Add(Save("after.json", after));
        var report = BenchReport.Of(before, after, settings.Knob);
        files.AddRange(ReportFiles.Write(report, Path.Combine(settings.Folder, "report.md")));
        return new TuneLoopResult(report, files);
    }

    private string Save(string name, BenchResult result)
    {
        string path = Path.Combine(settings.Folder, name);
        BenchFile.Save(path, result);
        return path;
    }
}

/// <summary>What a tune loop was asked for.</summary>
/// <param name="Knob">By its name in the catalogue.</param>
/// <param name="Context">The host.</param>
/// <param name="Target">What the load goes to.</param>
/// <param name="Reloads">Processes that are to listen again after a change, and after it is undone.</param>
/// <param name="Folder">For the files; made if need be.</param>
/// <param name="Rounds">Of each, in turns.</param>
/// <param name="Keeps">The change stays after the last turn.</param>
/// <param name="TriesFirst">The value is a user's: whether the kernel takes it is found out before anything is measured.</param>
internal sealed record TuneLoopSettings(
    string Knob, CheckContext Context, TuneTarget Target, IReadOnlyList<int> Reloads, string Folder, int Rounds, bool Keeps, bool TriesFirst)
{
    /// <summary>What undoes the change if nothing else does.</summary>
    public string UndoPath => Path.Combine(Folder, "undo.json");

    public static string DefaultFolder() => $"tune-loop-{DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}";
}

/// <param name="Report">What came of it.</param>
/// <param name="Files">All that were written.</param>
internal sealed record TuneLoopResult(BenchReport Report, IReadOnlyList<string> Files);
