using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Bench.Workloads;
using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Ctl.TuneLoop;

/// <summary>The options of tune-loop: which knob, which load, which target.</summary>
internal sealed class TuneLoopOptions
{
    private const int EchoBytes = 64;
    private const int DatagramBytes = 1200;
    private static readonly string[] Workloads = ["http", "connect", "tcp", "udp", "bulk"];

    public readonly Argument<string> Knob = new("knob")
    {
        Description = "What is turned, such as net.core.somaxconn (or somaxconn, nic.rings); check shows their names",
        DefaultValueFactory = _ => SysctlKnobs.Somaxconn.Name,
    };

    public readonly Option<string?> Value = new("--value") { Description = "What it is set to, instead of what the profile wants; less is possible, too" };

    public readonly Option<TuningProfile> Profile = new("--profile", "-p")
    {
        Description = "What the host is for: throughput, latency or small",
        HelpName = "throughput|latency|small",
    };

    public readonly Option<string?> Interface = new("--interface", "-i") { Description = "The card, for the knobs of one", HelpName = "NAME" };

    public readonly Option<string?> Out = new("--out", "-o") { Description = "The folder for results and report; tune-loop-TIME unless told", HelpName = "DIR" };

    public readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask before the change" };

    public readonly Option<bool> Keep = new("--keep") { Description = "Leave the change as it is after the last turn; any other end undoes it" };

    public readonly Option<string?> Reload = new("--reload")
    {
        Description = "Processes that listen for the load, as 123,456: SIGHUP has them listen again after the change",
        HelpName = "PID",
    };

    public readonly Option<bool> Json = new("--json") { Description = "JSON instead of text" };

    private readonly Option<string> _workload = new("--workload", "-w") { Description = "http, connect, tcp, udp or bulk", DefaultValueFactory = _ => Workloads[0] };
    private readonly Option<string?> _target = new("--target") { Description = "http://HOST:PORT/PATH or HOST:PORT, instead of a bench serve of its own", HelpName = "TARGET" };
    private readonly Option<bool> _keepAlive = new("--keepalive") { Description = "With http: many requests a connection, instead of a connection each" };
    private readonly Option<int?> _backlog = new("--backlog") { Description = "That its own target asks for; as many as the kernel allows unless told" };
    private readonly LoadOptions _load = new(concurrency: "4,8,16", rounds: 5);

    public void AddTo(Command command)
    {
        _workload.AcceptOnlyFromAmong(Workloads);
        _backlog.AtLeast(1);
        command.Add(Knob);
        foreach (Option option in new Option[] { Value, Profile, Interface, _workload, _target, _keepAlive, _backlog, Reload, Out, Yes, Keep, Json })
            command.Add(option);
        _load.AddLoadTo(command);
        command.Validators.Add(Validate);
    }

    public TuneTarget TargetOf(ParseResult parsed) =>
        parsed.GetValue(_target) is null ? TuneTarget.Own(parsed.GetValue(_backlog)) : TuneTarget.Other;

    /// <exception cref="FormatException">It is no list of numbers.</exception>
    public int[] ReloadsOf(ParseResult parsed) =>
        NumberList.Of("--reload", parsed.GetValue(Reload) ?? "");

    public int RoundsOf(ParseResult parsed) => _load.RoundsOf(parsed);

    public Task<BenchResult> MeasureAsync(ParseResult parsed, TuneTarget target, int rounds, Action<string> progress, CancellationToken cancel) =>
        _load.MeasureAsync(parsed, JobOf(parsed, target), rounds, progress, cancel);

    private Job JobOf(ParseResult parsed, TuneTarget own)
    {
        string? given = parsed.GetValue(_target);
        Route RouteTo(DnsEndPoint to) => _load.RouteTo(parsed, to);
        return parsed.GetValue(_workload) switch
        {
            "connect" => Job.Connect(given ?? own.Echo, echo: true, RouteTo),
            "tcp" => Job.Tcp(given ?? own.Echo, EchoBytes, RouteTo),
            "udp" => Job.Udp(given ?? own.Echo, DatagramBytes, TimeSpan.FromSeconds(1), RouteTo),
            "bulk" => Job.Bulk(given ?? own.Bulk, BulkDirection.Down, RouteTo),
            _ => Job.Http(given ?? own.Http, parsed.GetValue(_keepAlive), RouteTo),
        };
    }

    private void Validate(CommandResult result)
    {
        if (result.GetValue(Knob) is { } name && KnobCatalog.Find(name) is null)
            result.AddError($"there is no knob {name}: {string.Join(", ", KnobCatalog.All.Select(k => k.Name))}");
        if (result.GetValue(_target) is not null && result.GetResult(_backlog) is not null)
            result.AddError("--backlog is for a target of its own");
    }
}
