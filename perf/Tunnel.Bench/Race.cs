using System.Text.Json;
using Tunnel.Bench.Contenders;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Lab;

namespace Tunnel.Bench;

/// <summary>
/// All contenders side by side: each round runs every workload over every contender, one after the other, so that what the machine does
/// besides falls on all of them alike.
/// </summary>
/// <param name="network">Two namespaces and a cable.</param>
/// <param name="ctl">tunnelctl, which makes the load and serves the target.</param>
/// <param name="folder">For files while it runs.</param>
internal sealed class Race(LabNetwork network, string ctl, string folder)
{
    private const int TargetPort = 9000;

    /// <summary>Told what is done, a line each.</summary>
    public required Action<string> Say { get; init; }

    public async Task<IReadOnlyList<Lane>> RunAsync(
        IReadOnlyList<Contender> contenders, IReadOnlyList<RaceLoad> loads, int rounds, double seconds, CancellationToken cancel)
    {
        await using LabProcess target = LabProcess.Start(network.Server, ctl, "bench", "serve", "--listen", $"0.0.0.0:{TargetPort}");
        await target.WaitForAsync("serving", TimeSpan.FromSeconds(10), cancel).ConfigureAwait(false);
        List<Lane> lanes = [.. from load in loads from contender in contenders select new Lane(contender.Name, contender.Kind, load.Name, [])];
        for (int round = 1; round <= rounds; round++)
        {
            foreach (RaceLoad load in loads)
            {
                foreach (Contender contender in contenders)
                {
                    Lap lap = await RunLapAsync(contender, load, seconds, cancel).ConfigureAwait(false);
                    lanes.Single(l => l.Contender == contender.Name && l.Load == load.Name).Laps.Add(lap);
                    Say($"round {round} of {rounds}, {load.Name}, {contender.Name}: {load.Describe(lap)}");
                }
            }
        }

        return lanes;
    }

    private async Task<Lap> RunLapAsync(Contender contender, RaceLoad load, double seconds, CancellationToken cancel)
    {
        string lapFolder = Directory.CreateDirectory(Path.Combine(folder, Guid.NewGuid().ToString("N"))).FullName;
        RunningContender running;
        try
        {
            running = await contender.StartAsync(network, TargetPort + load.TargetOffset, lapFolder, cancel).ConfigureAwait(false);
        }
        catch (LabException e)
        {
            return new Lap(null, null, e.Message);
        }

        try
        {
            RoundResult result = await MeasureAsync(running, load, seconds, cancel).ConfigureAwait(false);
            await running.DisposeAsync().ConfigureAwait(false);
            return new Lap(result, contender.Kind == ContenderKind.Ours ? Ours.ReadLosses(running) : null, null);
        }
        catch (LabException e)
        {
            return new Lap(null, null, e.Message);
        }
        finally
        {
            await running.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<RoundResult> MeasureAsync(RunningContender running, RaceLoad load, double seconds, CancellationToken cancel)
    {
        string target = load.IsHttp ? $"http://{running.Target}/" : running.Target;
        string[] processes = running.Processes.Count == 0 ? [] : ["--pid", string.Join(',', running.Processes.Select(p => p.Id))];
        string json = await LabProcess.RunAsync(
            network.Client,
            cancel,
            [
                ctl, "bench", load.Verb, target, .. load.Options, .. processes,
                "--rounds", "1", "--warm-up", FormattableString.Invariant($"{load.WarmUp}"),
                "--seconds", FormattableString.Invariant($"{seconds}"), "--json",
            ]).ConfigureAwait(false);
        return JsonSerializer.Deserialize(json, BenchJson.Default.BenchResult)!.Points[0].Rounds[0];
    }
}

/// <summary>One contender's laps with one workload.</summary>
internal sealed record Lane(string Contender, ContenderKind Kind, string Load, List<Lap> Laps);

/// <param name="Result">What was measured; null: it failed.</param>
/// <param name="Losses">What our ends said of theirs; null for others.</param>
/// <param name="Failure">Why there is no result.</param>
internal sealed record Lap(RoundResult? Result, Losses? Losses, string? Failure);
