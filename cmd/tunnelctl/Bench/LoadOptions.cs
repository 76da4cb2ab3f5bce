using System.CommandLine;
using System.Globalization;
using System.Net;
using Tunnel.Ctl.Check;
using Tunnel.Ctl.Verbs;

namespace Tunnel.Ctl.Bench;

/// <summary>The options that all loads have in common.</summary>
internal sealed class LoadOptions
{
    private const string ExitCodes = "0 measured, 1 not (the message says why), 2 a wrong command line";

    private readonly Option<string> _concurrency = new("--concurrency", "-c")
    {
        Description = "Workers at one time; several, as 4,8,16, are run one after the other",
    };

    private readonly Option<double> _seconds = new("--seconds", "-s") { Description = "How long a round measures", DefaultValueFactory = _ => 5 };
    private readonly Option<long?> _requests = new("--requests", "-n") { Description = "How many operations a round measures, instead of --seconds" };
    private readonly Option<double> _warmUp = new("--warm-up") { Description = "Seconds before each round that are not counted", DefaultValueFactory = _ => 1 };
    private readonly Option<int> _rounds = new("--rounds") { Description = "Rounds of each concurrency" };
    private readonly Option<double?> _rate = new("--rate")
    {
        Description = "Operations a second on a fixed schedule, all workers together; what is late counts from when it was due",
    };

    private readonly Option<double> _timeout = new("--timeout") { Description = "Seconds for one operation", DefaultValueFactory = _ => 10 };
    private readonly Option<string?> _through = new("--through") { Description = "socks5://[USER:PASSWORD@]ADDRESS:PORT, such as the tunnel's client" };
    private readonly Option<string?> _processes = new("--pid") { Description = "Processes of this host, as 123,456, whose processor time and memory are read" };
    private readonly Option<string?> _save = new("--save") { Description = "Keep the result in this file (never written over)" };
    private readonly Option<bool> _json = new("--json") { Description = "JSON instead of a table" };

    /// <param name="concurrency">Workers unless told.</param>
    /// <param name="rounds">Rounds unless told.</param>
    public LoadOptions(string concurrency = "1", int rounds = 3)
    {
        _concurrency.DefaultValueFactory = _ => concurrency;
        _rounds.DefaultValueFactory = _ => rounds;
    }

    /// <summary>Nothing happens once the connections are there, so an operation has no timeout.</summary>
    public bool HoldsStill { get; init; }

    /// <param name="command">The load's.</param>
    /// <param name="examples">Arguments, as they are typed behind its name.</param>
    public void AddTo(Command command, params string[] examples)
    {
        IEnumerable<string> lines = examples.Select(arguments => $"  tunnelctl bench {command.Name} {arguments}");
        command.Description += $"\n\nExit codes: {ExitCodes}.\n\nExamples:\n{string.Join('\n', lines)}";
        AddLoadTo(command);
        command.Add(_save);
        command.Add(_json);
    }

    /// <summary>Only those that say what the load is, for a verb that has its own ways to keep and to show results.</summary>
    public void AddLoadTo(Command command)
    {
        Option[] common = [_concurrency, _seconds, _warmUp, _rounds, _through, _processes];
        Option[] moving = [_requests, _rate, _timeout];
        foreach (Option option in HoldsStill ? common : [.. common, .. moving])
            command.Add(option);
    }

    public Route RouteTo(ParseResult parsed, DnsEndPoint target) =>
        new(target, parsed.GetValue(_through) is { } proxy ? Socks5Proxy.Parse(proxy) : null);

    public Task<int> RunAsync(ParseResult parsed, Func<Job> job, CancellationToken cancel) => BenchVerb.Guarded(async () =>
    {
        Job what = job();
        string? path = parsed.GetValue(_save);
        if (path is not null && File.Exists(path))
            throw new BenchException($"{path} is there already and is not written over");
        BenchResult result = await Terminal.WithProgressAsync(what.Workload, progress => path is null
            ? MeasureAsync(parsed, what, RoundsOf(parsed), progress, cancel)
            : HostRecord.AddToAsync(new CheckRequest(), () => MeasureAsync(parsed, what, RoundsOf(parsed), progress, cancel), progress, cancel)).ConfigureAwait(false);
        if (path is not null)
            BenchFile.Save(path, result);
        if (parsed.GetValue(_json))
            Console.Out.WriteLine(BenchFile.Write(result));
        else
            BenchTable.Print(Terminal.Output, result);
        result.ThrowIfEmpty();
    });

    /// <exception cref="FormatException">There are none.</exception>
    public int RoundsOf(ParseResult parsed) => (int)Positive(parsed.GetValue(_rounds), "--rounds");

    /// <summary>Loads.</summary>
    /// <param name="parsed">How much.</param>
    /// <param name="job">What.</param>
    /// <param name="rounds">Of each concurrency.</param>
    /// <param name="progress">Told what is under way.</param>
    /// <exception cref="FormatException">An option makes no sense.</exception>
    /// <exception cref="BenchException">A process is not there.</exception>
    public Task<BenchResult> MeasureAsync(ParseResult parsed, Job job, int rounds, Action<string> progress, CancellationToken cancel)
    {
        InlineSockets.Enable();
        LoadPlan plan = PlanOf(parsed, rounds);
        int[] processes = NumberList.Of("--pid", parsed.GetValue(_processes) ?? "");
        if (Array.FindIndex(processes, id => !ProcessMeter.IsThere(id)) is >= 0 and var missing)
            throw new BenchException($"--pid: there is no process {processes[missing]}");
        return new BenchRun(plan, FactsOf(parsed, job, plan), job.Create, processes) { Progress = progress }.RunAsync(cancel);
    }

    private LoadPlan PlanOf(ParseResult parsed, int rounds)
    {
        double seconds = Positive(parsed.GetValue(_seconds), "--seconds"), warmUp = parsed.GetValue(_warmUp);
        if (warmUp < 0)
            throw new FormatException($"--warm-up {warmUp}: not less than 0");
        int[] concurrency = NumberList.Of("--concurrency", parsed.GetValue(_concurrency)!);
        if (concurrency.Length == 0 || concurrency.Any(c => c < 1))
            throw new FormatException("--concurrency: numbers from 1, as 4,8,16");
        double timeout = HoldsStill ? seconds + warmUp + 3600 : Positive(parsed.GetValue(_timeout), "--timeout");
        long? requests = HoldsStill ? null : parsed.GetValue(_requests);
        double? rate = HoldsStill ? null : parsed.GetValue(_rate);
        return new LoadPlan(
            concurrency,
            rounds,
            TimeSpan.FromSeconds(seconds),
            requests is { } n ? (long)Positive(n, "--requests") : null,
            TimeSpan.FromSeconds(warmUp),
            rate is { } r ? Positive(r, "--rate") : null,
            TimeSpan.FromSeconds(timeout),
            HoldsStill);
    }

    private LoadFacts FactsOf(ParseResult parsed, Job job, LoadPlan plan)
    {
        Socks5Proxy? proxy = parsed.GetValue(_through) is { } text ? Socks5Proxy.Parse(text) : null;
        return new LoadFacts(
            job.Workload,
            job.Target,
            proxy is null ? null : $"socks5://{proxy.Address}",
            job.Detail,
            plan.WarmUp.TotalSeconds,
            plan.Requests is null ? plan.Duration.TotalSeconds : null,
            plan.Requests,
            plan.Rate);
    }

    private static double Positive(double value, string option) =>
        value > 0 ? value : throw new FormatException($"{option} {value.ToString(CultureInfo.InvariantCulture)}: more than 0");
}
