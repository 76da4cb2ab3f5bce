using System.CommandLine;
using Tunnel.Bench;
using Tunnel.Bench.Contenders;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Lab;

var bin = new Option<string>("--bin") { Description = "The folder of the published binaries", DefaultValueFactory = _ => "artifacts/bin" };
var rounds = new Option<int>("--rounds") { Description = "Laps of each contender with each workload", DefaultValueFactory = _ => 5 };
var seconds = new Option<double>("--seconds") { Description = "That a lap measures", DefaultValueFactory = _ => 4 };
var loads = new Option<string?>("--loads") { Description = $"Some of: {string.Join("; ", RaceLoad.All.Select(l => l.Name))} (with ; between)" };
var contenders = new Option<string?>("--contenders") { Description = "Some of the contenders (with ; between)" };
var paqet = new Option<string?>("--paqet") { Description = "A paqet binary to run against" };
var keys = new Option<string>("--keys") { Description = "More TOML for our ends' [transport.kcp]", DefaultValueFactory = _ => "" };
var noOffloads = new Option<bool>("--no-offloads") { Description = "Segmentation offloads of the cable off" };
var output = new Option<string>("--output") { Description = "The folder for race.json, race.md, race.svg", DefaultValueFactory = _ => "artifacts/race" };

var root = new RootCommand("The tunnel against others, side by side, in two network namespaces")
{
    bin, rounds, seconds, loads, contenders, paqet, keys, noOffloads, output,
};
root.SetAction((parsed, cancel) => GuardedAsync(async () =>
{
    string binaries = Path.GetFullPath(parsed.GetValue(bin)!);
    Contender[] all = Entrants.Of(binaries, parsed.GetValue(paqet), parsed.GetValue(keys)!);
    Contender[] runners = Entrants.Choose(all, parsed.GetValue(contenders), Console.Error.WriteLine);
    RaceLoad[] chosen = Entrants.Choose(parsed.GetValue(loads));
    RaceResult race = await RaceRun.RunAsync(
        new RaceSettings(binaries, runners, chosen, parsed.GetValue(rounds), parsed.GetValue(seconds), !parsed.GetValue(noOffloads)), cancel)
        .ConfigureAwait(false);
    RaceRun.Save(race, parsed.GetValue(output)!);
    Console.Out.WriteLine(RaceTable.Write(race));
}));

var before = new Argument<string>("before") { Description = "race.json, such as perf/baseline.json" };
var after = new Argument<string>("after") { Description = "race.json of another run on the same machine" };
var compare = new Command("compare", "What changed between two runs") { before, after };
compare.SetAction((parsed, _) => GuardedAsync(() =>
{
    Console.Out.WriteLine(RaceComparison.Write(RaceResult.Load(parsed.GetValue(before)!), RaceResult.Load(parsed.GetValue(after)!)));
    return Task.CompletedTask;
}));
root.Add(compare);
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
