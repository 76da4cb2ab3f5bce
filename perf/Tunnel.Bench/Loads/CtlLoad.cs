using System.Globalization;
using Tunnel.Ctl;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Check.Proc;
using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Loads;

/// <summary>A load that `tunnelctl bench` makes.</summary>
internal sealed class CtlLoad : RaceLoad
{
    /// <summary>Files that a process has open besides one for each stream.</summary>
    private const int OtherFiles = 500;

    private readonly string _verb;
    private readonly string[] _options;
    private readonly int _files;

    /// <param name="name">In tables.</param>
    /// <param name="verb">tunnelctl bench's.</param>
    /// <param name="options">Its options.</param>
    /// <param name="targetOffset">Which of the target's ports.</param>
    /// <param name="figures">The first is what contenders are ranked by.</param>
    public CtlLoad(string name, string verb, string[] options, int targetOffset, params RaceFigure[] figures)
        : this(name, verb, options, targetOffset, 0, figures)
    {
    }

    private CtlLoad(string name, string verb, string[] options, int targetOffset, int files, RaceFigure[] figures)
        : base(name, figures)
    {
        _verb = verb;
        _options = options;
        _files = files;
        TargetOffset = targetOffset;
        WatchesGarbage = verb != "hold";
    }

    public override string? Lacks => ReadFileLimit() is { } limit && limit < _files + OtherFiles
        ? $"it needs {_files + OtherFiles} open files a process, and the limit is {limit} (ulimit -Hn)"
        : null;

    /// <summary>Connections that are opened and held; they all must be there before the window opens.</summary>
    public static CtlLoad Hold(int streams) =>
        new($"hold {streams}", "hold", ["-c", $"{streams}"], 1, streams, [RaceFigure.MemoryEach(streams)])
        {
            Title = string.Create(CultureInfo.InvariantCulture, $"{streams:#,0} idle connections"),
            WarmUp = 3 + streams / 2000.0,
            MaximumRounds = 1,
        };

    public override async Task<Lap> MeasureAsync(LapConditions conditions, CancellationToken cancel) =>
        new(await MeasureRoundAsync(conditions, cancel).ConfigureAwait(false), null);

    /// <summary>Over a contender that may have carried other rounds before.</summary>
    public async Task<RoundResult> MeasureRoundAsync(LapConditions conditions, CancellationToken cancel)
    {
        string target = _verb == "http" ? $"http://{conditions.Running.Target}/" : conditions.Running.Target;
        IReadOnlyList<int> ids = await conditions.Running.ReadProcessIdsAsync(cancel).ConfigureAwait(false);
        string[] processes = ids.Count == 0 ? [] : ["--pid", string.Join(',', ids)];
        string json = await LabProcess.RunAsync(
            conditions.Laid.Network.Client,
            cancel,
            [
                conditions.Ctl, "bench", _verb, target, .. _options, .. processes,
                "--rounds", "1", "--warm-up", Text(WarmUp * conditions.WarmUpFactor), "--seconds", Text(conditions.Seconds), "--json",
            ]).ConfigureAwait(false);
        return JsonText.Read<BenchResult>(json).Points[0].Rounds[0];
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>What every process here may raise its limit to; null: not known.</summary>
    private static long? ReadFileLimit()
    {
        try
        {
            return ProcLimit.Find(File.ReadAllText("/proc/self/limits"), "Max open files")?.Hard;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
