using System.CommandLine;
using System.CommandLine.Parsing;
using Tunnel.Ctl.Check.Knobs;
using Tunnel.Ctl.Check.Setting;

namespace Tunnel.Ctl.Check;

/// <summary>The options of check, and which go together.</summary>
internal sealed class CheckOptions
{
    private const double DefaultTimeout = 5;

    public readonly Option<string?> Config = new("--config", "-c") { Description = "a client's or a server's TOML file", HelpName = "FILE" };

    public readonly Option<TuningProfile> Profile = new("--profile", "-p")
    {
        Description = "what the host is for: throughput, latency or small",
        HelpName = "throughput|latency|small",
    };

    public readonly Option<string?> Interface = new("--interface", "-i") { Description = "the interface, instead of the one that is found", HelpName = "NAME" };

    public readonly Option<bool> Offline = new("--offline") { Description = "do not try a session with the server" };

    public readonly Option<double> Timeout = new("--timeout")
    {
        Description = "seconds that the server may take",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => DefaultTimeout,
    };

    public readonly Option<string?> Only = new("--only") { Description = "one finding or knob, such as net.core.somaxconn", HelpName = "NAME" };

    public readonly Option<bool> Json = new("--json") { Description = "print JSON" };

    public readonly Option<string?> Snapshot = new("--snapshot") { Description = "write everything to a new file", HelpName = "FILE" };

    public readonly Option<string[]> Diff = new("--diff")
    {
        Description = "say what changed between two snapshots",
        HelpName = "A B",
        Arity = new(2, 2),
        AllowMultipleArgumentsPerToken = true,
    };

    public readonly Option<bool> Apply = new("--apply") { Description = "set what can be set; asks first" };

    public readonly Option<bool> Yes = new("--yes", "-y") { Description = "do not ask" };

    public readonly Option<string?> Undo = new("--undo") { Description = "where --apply writes what undoes it", HelpName = "FILE" };

    public readonly Option<bool> Persist = new("--persist") { Description = "with --apply: write files that set it again at the next start" };

    public readonly Option<string?> Revert = new("--revert") { Description = "undo what an --apply did", HelpName = "FILE" };

    public IEnumerable<Option> All =>
        [Config, Profile, Interface, Offline, Timeout, Only, Json, Snapshot, Diff, Apply, Yes, Undo, Persist, Revert];

    public CheckRequest RequestOf(ParseResult parsed) => new()
    {
        Profile = parsed.GetValue(Profile),
        ConfigPath = parsed.GetValue(Config),
        Interface = parsed.GetValue(Interface),
        ProbeTimeout = parsed.GetValue(Offline) ? null : TimeSpan.FromSeconds(parsed.GetValue(Timeout)),
    };

    public ApplyOptions ApplyOptionsOf(ParseResult parsed) =>
        new(parsed.GetValue(Only), parsed.GetValue(Yes), parsed.GetValue(Undo), parsed.GetValue(Persist), parsed.GetValue(Json));

    public void Validate(CommandResult result)
    {
        Option[] jobs = [Snapshot, Diff, Apply, Revert];
        Option[] given = [.. jobs.Where(IsGiven)];
        if (given.Length > 1)
            result.AddError($"{given[0].Name} and {given[1].Name} are two different things");
        foreach (Option option in new Option[] { Undo, Persist })
        {
            if (IsGiven(option) && !IsGiven(Apply))
                result.AddError($"{option.Name} goes with --apply");
        }

        if (IsGiven(Yes) && !IsGiven(Apply) && !IsGiven(Revert))
            result.AddError("--yes goes with --apply");
        if (Bounds.NumberOf(result.GetResult(Timeout)) is { } seconds && seconds is not (> 0 and <= 600))
            result.AddError("--timeout is more than 0 and at most 600 seconds");
        if (result.GetValue(Only) is { } only && KnobCatalog.Find(only) is null && !CheckRun.Topics.Any(t => t.Names.Contains(only)))
            result.AddError($"there is no finding {only}; a check without --only shows their names");

        bool IsGiven(Option option) => result.GetResult(option) is { Implicit: false };
    }
}
