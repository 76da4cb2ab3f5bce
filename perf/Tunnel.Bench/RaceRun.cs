using Tunnel.Bench.Results;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Lab;

namespace Tunnel.Bench;

/// <param name="Bin">The folder of the published binaries.</param>
/// <param name="Lanes">What runs.</param>
/// <param name="Rounds">Laps each.</param>
/// <param name="Seconds">That a lap measures.</param>
internal sealed record RaceSettings(string Bin, IReadOnlyList<Lane> Lanes, int Rounds, double Seconds);

/// <summary>From the namespaces to the files.</summary>
internal static class RaceRun
{
    private const string Json = "race.json";
    private const string Markdown = "race.md";
    private const string Chart = "race.svg";
    private const string Baseline = "baseline.json";

    /// <exception cref="BenchException">There is no privilege, or no binaries, or nothing to run.</exception>
    /// <exception cref="LabException">The network or the target could not be made.</exception>
    public static async Task<RaceResult> RunAsync(RaceSettings settings, CancellationToken cancel)
    {
        if (!Environment.IsPrivilegedProcess)
            throw new BenchException("network namespaces need root");
        if (settings.Lanes.Count == 0)
            throw new BenchException("none of these contenders runs any of these workloads over these cables");
        string ctl = Path.Combine(settings.Bin, "tunnelctl");
        if (!File.Exists(ctl))
            throw new BenchException($"{ctl} is not there: ./dev publish {settings.Bin}");
        string folder = Directory.CreateTempSubdirectory("tunnel-race-").FullName;
        try
        {
            DateTime started = DateTime.UtcNow;
            string commit = await ReadCommitAsync(cancel).ConfigureAwait(false);
            var race = new Race(ctl, folder) { Say = text => Console.Error.WriteLine($"{DateTime.UtcNow - started:mm\\:ss} {text}") };
            IReadOnlyList<LaneResult> lanes = await race.RunAsync(settings.Lanes, settings.Rounds, settings.Seconds, cancel).ConfigureAwait(false);
            return new RaceResult(RaceResult.CurrentFormat, started, commit, BenchRun.ReadHost(), settings.Seconds, lanes);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public static void Save(RaceResult race, string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, Json), race.ToJson() + "\n");
        File.WriteAllText(Path.Combine(folder, Markdown), RaceTable.Write(race));
        File.WriteAllText(Path.Combine(folder, Chart), RaceChart.Write(race));
    }

    /// <summary>What version control keeps of a race: the summary that later ones are compared with, and the picture.</summary>
    public static void Record(RaceResult race, string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, Baseline), RaceSummary.Of(race).ToJson());
        File.WriteAllText(Path.Combine(folder, Chart), RaceChart.Write(race));
    }

    private static async Task<string> ReadCommitAsync(CancellationToken cancel)
    {
        try
        {
            return (await LabProcess.RunAsync(null, cancel, "git", "describe", "--always", "--dirty").ConfigureAwait(false)).Trim();
        }
        catch (Exception e) when (e is LabException or System.ComponentModel.Win32Exception)
        {
            return "unknown";
        }
    }
}
