using Tunnel.Bench.Cables;
using Tunnel.Bench.Contenders;
using Tunnel.Bench.Loads;
using Tunnel.Bench.Results;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Lab;

namespace Tunnel.Bench;

/// <summary>
/// All contenders side by side: each round runs every workload over every contender, one after the other, so that what the machine does
/// besides falls on all of them alike.
/// </summary>
/// <param name="ctl">tunnelctl, which makes the load and serves the target.</param>
/// <param name="folder">For files while it runs.</param>
internal sealed class Race(string ctl, string folder)
{
    /// <summary>An emulated cable is slow: a window of a few seconds would see little of it.</summary>
    private const double LeastEmulatedSeconds = 5;

    /// <summary>Between the load's start and its first operation: a process begins.</summary>
    private const double StartSeconds = 0.4;

    /// <summary>Told what is done, a line each.</summary>
    public required Action<string> Say { get; init; }

    public async Task<IReadOnlyList<LaneResult>> RunAsync(IReadOnlyList<Lane> lanes, int rounds, double seconds, CancellationToken cancel)
    {
        Dictionary<Lane, LaneResult> results = lanes.ToDictionary(l => l, l => new LaneResult(l.Cable.Name, l.Contender.Name, l.Contender.Kind, l.Load.Name, []));
        var laid = new Dictionary<Cable, LaidCable>();
        int total = lanes.Sum(l => l.RoundsOf(rounds)), done = 0;
        try
        {
            foreach (Cable cable in lanes.Select(l => l.Cable).Distinct())
                laid[cable] = await LaidCable.LayAsync(cable, laid.Count, ctl, cancel).ConfigureAwait(false);
            for (int round = 1; round <= rounds; round++)
            {
                foreach (Lane lane in lanes.Where(l => round <= l.RoundsOf(rounds)))
                {
                    Lap lap = await RunLapAsync(lane, laid[lane.Cable], round, seconds, cancel).ConfigureAwait(false);
                    results[lane].Laps.Add(lap);
                    Say($"{++done} of {total}: {lane.Cable.Name}: {lane.Load.Name}: {lane.Contender.Name}: {lane.Load.Describe(lap)}");
                }
            }
        }
        finally
        {
            foreach (LaidCable cable in laid.Values)
                await cable.DisposeAsync().ConfigureAwait(false);
        }

        return [.. lanes.Select(l => results[l])];
    }

    private async Task<Lap> RunLapAsync(Lane lane, LaidCable laid, int round, double seconds, CancellationToken cancel)
    {
        string lapFolder = Directory.CreateDirectory(Path.Combine(folder, Guid.NewGuid().ToString("N"))).FullName;
        LabProcess? emulator = null;
        try
        {
            emulator = await laid.StartFaultsAsync(round, cancel).ConfigureAwait(false);
            Lap lap = await CarryAsync(lane, laid, lapFolder, seconds, cancel).ConfigureAwait(false);
            if (emulator is null)
                return lap;
            await emulator.StopAsync().ConfigureAwait(false);
            return lap with { Cable = LaidCable.ReadUse(emulator) };
        }
        catch (LabException e)
        {
            return new Lap(null, e.Message);
        }
        finally
        {
            if (emulator is not null)
                await emulator.DisposeAsync().ConfigureAwait(false);
            Directory.Delete(lapFolder, recursive: true);
        }
    }

    private async Task<Lap> CarryAsync(Lane lane, LaidCable laid, string lapFolder, double seconds, CancellationToken cancel)
    {
        var setup = new ContenderSetup(laid.Network, LaidCable.TargetPort + lane.Load.TargetOffset, lane.Load.Sessions, lapFolder);
        RunningContender running = await lane.Contender.StartAsync(setup, cancel).ConfigureAwait(false);
        try
        {
            double measured = Math.Max(Math.Max(seconds, lane.Load.LeastSeconds), laid.Cable.IsEmulated ? LeastEmulatedSeconds : 0);
            var conditions = new LapConditions(laid, running, ctl, measured, lapFolder);
            bool isOurs = lane.Contender.Kind == ContenderKind.Ours;
            Task<GarbageUse?> garbage = isOurs && lane.Load.WatchesGarbage ? WatchAsync(lane.Load, conditions, cancel) : Task.FromResult<GarbageUse?>(null);
            Lap lap = await lane.Load.MeasureAsync(conditions, cancel).ConfigureAwait(false);
            GarbageUse? garbageUse = await garbage.ConfigureAwait(false);
            await running.DisposeAsync().ConfigureAwait(false);
            return lap with { Losses = isOurs ? Ours.ReadLosses(running) : null, Garbage = garbageUse };
        }
        finally
        {
            await running.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Within the load's window, whose beginning is known to within a process's start.</summary>
    private static Task<GarbageUse?> WatchAsync(RaceLoad load, LapConditions conditions, CancellationToken cancel) => GarbageMeter.WatchAsync(
        [.. conditions.Running.Processes.Select(p => p.Id)],
        TimeSpan.FromSeconds(load.WarmUp * conditions.WarmUpFactor + StartSeconds),
        TimeSpan.FromSeconds(Math.Max(0.5, conditions.Seconds - StartSeconds)),
        cancel);
}
