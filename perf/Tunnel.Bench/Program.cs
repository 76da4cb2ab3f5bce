using System.CommandLine;
using Tunnel.Bench;
using Tunnel.Bench.Cables;
using Tunnel.Bench.Contenders;
using Tunnel.Bench.Loads;
using Tunnel.Bench.Results;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Lab;

var bin = new Option<string>("--bin") { Description = "The folder of the published binaries", DefaultValueFactory = _ => "artifacts/bin" };
var rounds = new Option<int>("--rounds") { Description = "Laps of each contender with each workload", DefaultValueFactory = _ => 3 };
var seconds = new Option<double>("--seconds") { Description = "That a lap measures", DefaultValueFactory = _ => 3 };
var loads = new Option<string?>("--loads") { Description = $"Some of: {string.Join("; ", RaceLoad.All.Select(l => l.Name))} (with ; between)" };
var contenders = new Option<string?>("--contenders") { Description = "Some of the contenders (with ; between), which then run every workload" };
var cables = new Option<string[]>("--cable")
{
    Description = $"\"{Cable.Veth.Name}\", \"{Cable.NoOffloads.Name}\", or what tunnelctl emulate is to do: \"delay 25ms, loss 1%, rate 200mbit\"; may be repeated",
};
var paqet = new Option<string?>("--paqet") { Description = "A paqet binary to run against" };
var keys = new Option<string>("--keys") { Description = "More TOML for our ends' [transport.kcp]", DefaultValueFactory = _ => "" };
var noOffloads = new Option<bool>("--no-offloads") { Description = $"--cable \"{Cable.NoOffloads.Name}\"" };
var output = new Option<string>("--output") { Description = "The folder for race.json, race.md, race.svg", DefaultValueFactory = _ => "artifacts/race" };

var root = new RootCommand("The tunnel against others, side by side, in two network namespaces")
{
    bin, rounds, seconds, loads, contenders, cables, paqet, keys, noOffloads, output,
};
root.SetAction((parsed, cancel) => GuardedAsync(async () =>
{
    string binaries = Path.GetFullPath(parsed.GetValue(bin)!);
    string? names = parsed.GetValue(contenders);
    Contender[] all = Entrants.Of(binaries, parsed.GetValue(paqet), parsed.GetValue(keys)!);
    Contender[] runners = Entrants.Choose(all, names, Console.Error.WriteLine);
    RaceLoad[] chosen = Entrants.Choose(parsed.GetValue(loads), Console.Error.WriteLine);
    Cable[] named = [.. (parsed.GetValue(cables) ?? []).Select(Cable.Parse), .. parsed.GetValue(noOffloads) ? [Cable.NoOffloads] : Array.Empty<Cable>()];
    IReadOnlyList<Lane> lanes = Entrants.Lanes(named.Length == 0 ? null : named, chosen, runners, named: names is not null);
    RaceResult race = await RaceRun.RunAsync(
        new RaceSettings(binaries, lanes, parsed.GetValue(rounds), parsed.GetValue(seconds)), cancel).ConfigureAwait(false);
    RaceRun.Save(race, parsed.GetValue(output)!);
    Console.Out.WriteLine(RaceTable.Write(race));
}));

var before = new Argument<string>("before") { Description = "perf/baseline.json, or a race.json" };
var after = new Argument<string>("after") { Description = "race.json of another run on the same machine" };
var compare = new Command("compare", "What changed between two runs, and whether it is more than noise") { before, after };
compare.SetAction((parsed, _) => GuardedAsync(() =>
{
    Console.Out.WriteLine(RaceComparison.Write(RaceSummary.Load(parsed.GetValue(before)!), RaceSummary.Load(parsed.GetValue(after)!)));
    return Task.CompletedTask;
}));
root.Add(compare);

var kept = new Argument<string>("race") { Description = "race.json of a quiet run", DefaultValueFactory = _ => "artifacts/race/race.json" };
var folder = new Option<string>("--folder") { Description = "Where to", DefaultValueFactory = _ => "perf" };
var keep = new Command("record", "Keeps a run: baseline.json to compare with, race.svg to show") { kept, folder };
keep.SetAction((parsed, _) => GuardedAsync(() =>
{
    RaceRun.Record(RaceResult.Load(parsed.GetValue(kept)!), parsed.GetValue(folder)!);
    return Task.CompletedTask;
}));
root.Add(keep);
return await root.Parse(args).InvokeAsync();

static async Task<int> GuardedAsync(Func<Task> action)
{
    try
    {
        await action();
        return 0;
    }
    catch (Exception e) when (e is BenchException or LabException)
    {
        await Console.Error.WriteLineAsync(e.Message);
        return 1;
    }
}
