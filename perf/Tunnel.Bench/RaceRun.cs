using Tunnel.Bench.Contenders;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Lab;

namespace Tunnel.Bench;

/// <param name="Bin">The folder of the published binaries.</param>
/// <param name="Contenders">Who runs.</param>
/// <param name="Loads">What they carry.</param>
/// <param name="Rounds">Laps each.</param>
/// <param name="Seconds">That a lap measures.</param>
/// <param name="Offloads">Of the cable.</param>
internal sealed record RaceSettings(
    string Bin, IReadOnlyList<Contender> Contenders, IReadOnlyList<RaceLoad> Loads, int Rounds, double Seconds, bool Offloads);

/// <summary>From the namespaces to the files.</summary>
internal static class RaceRun
{
    /// <exception cref="BenchException">There is no privilege, or no binaries.</exception>
    /// <exception cref="LabException">The network or the target could not be made.</exception>
    public static async Task<RaceResult> RunAsync(RaceSettings settings, CancellationToken cancel)
    {
        if (!Environment.IsPrivilegedProcess)
            throw new BenchException("network namespaces need root");
        string ctl = Path.Combine(settings.Bin, "tunnelctl");
        if (!File.Exists(ctl))
            throw new BenchException($"{ctl} is not there: ./dev publish {settings.Bin}");
        string folder = Directory.CreateTempSubdirectory("tunnel-race-").FullName;
        try
        {
            await using LabNetwork network = await LabNetwork.CreateAsync("race", cancel).ConfigureAwait(false);
            if (!settings.Offloads)
                await TurnOffloadsOffAsync(network, cancel).ConfigureAwait(false);
            DateTime started = DateTime.UtcNow;
            string commit = await ReadCommitAsync(cancel).ConfigureAwait(false);
            var race = new Race(network, ctl, folder) { Say = Console.Error.WriteLine };
            IReadOnlyList<Lane> lanes = await race
                .RunAsync(settings.Contenders, settings.Loads, settings.Rounds, settings.Seconds, cancel).ConfigureAwait(false);
            return new RaceResult(RaceResult.CurrentFormat, started, commit, BenchRun.ReadHost(), settings.Offloads, settings.Seconds, lanes);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public static void Save(RaceResult race, string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "race.json"), race.ToJson() + "\n");
        File.WriteAllText(Path.Combine(folder, "race.md"), RaceTable.Write(race));
        File.WriteAllText(Path.Combine(folder, "race.svg"), RaceChart.Write(race));
    }

    private static async Task TurnOffloadsOffAsync(LabNetwork network, CancellationToken cancel)
    {
        foreach (string? netns in new[] { network.Client, network.Server })
        {
            await LabProcess.RunAsync(netns, cancel, "ethtool", "-K", LabNetwork.Interface, "tso", "off", "gso", "off", "gro", "off")
                .ConfigureAwait(false);
        }
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
