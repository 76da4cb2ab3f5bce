using System.Globalization;
using Tunnel.Bench.Contenders;
using Tunnel.Ctl;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Loads;

/// <summary>Somebody who looks at one end's diagnostics.</summary>
internal abstract class Watcher
{
    /// <summary>Enough for code that is called a few times each to be compiled for good.</summary>
    private const double WarmUpSeconds = 4;

    /// <summary>A second.</summary>
    private const int WarmUpRate = 100;

    /// <summary>Where it looks while it looks away.</summary>
    public const string ElsewhereAddress = "127.0.0.1:6070";

    /// <summary>Why it cannot look here; null: it can.</summary>
    public virtual string? Lacks => null;

    /// <summary>What it asks for; one that can be asked for again and again.</summary>
    protected abstract string Path { get; }

    /// <summary>Looks at it often, until that is nothing new.</summary>
    /// <exception cref="LabException">There is nothing to see.</exception>
    public Task WarmUpAsync(string ctl, string host, CancellationToken cancel) =>
        FetchAsync(ctl, host, $"{Ours.DebugAddress}{Path}", WarmUpRate, WarmUpSeconds, cancel);

    /// <summary>Looks as it does in earnest.</summary>
    /// <exception cref="LabException">It saw nothing, or not all the time.</exception>
    public abstract Task WatchAsync(string ctl, string host, double seconds, CancellationToken cancel);

    /// <summary>Does the same with somebody else: what a watcher takes from the machine by being there is not what it costs the watched.</summary>
    /// <exception cref="LabException">There was nobody.</exception>
    public abstract Task LookAwayAsync(string ctl, string host, double seconds, CancellationToken cancel);

    protected static async Task FetchAsync(string ctl, string host, string url, int rate, double seconds, CancellationToken cancel)
    {
        string json = await LabProcess.RunAsync(
            host,
            cancel,
            [
                ctl, "bench", "http", $"http://{url}", "--rounds", "1", "--warm-up", "0",
                "--rate", $"{rate}", "--seconds", seconds.ToString(CultureInfo.InvariantCulture), "--json",
            ]).ConfigureAwait(false);
        RoundResult round = JsonText.Read<BenchResult>(json).Points[0].Rounds[0];
        if (round.ErrorCount != 0 || round.Operations < rate * seconds / 2)
            throw new LabException($"{url}: {round.Operations} answers and {round.ErrorCount} errors in {seconds} s");
    }
}

/// <summary>
/// Fetches the metrics ten times as often as Prometheus does at its busiest, once a second: what one fetch costs is less than two turns
/// differ by.
/// </summary>
internal sealed class MetricsWatcher : Watcher
{
    /// <summary>A second.</summary>
    public const int FetchRate = 10;

    protected override string Path => "/metrics";

    public override Task WatchAsync(string ctl, string host, double seconds, CancellationToken cancel) =>
        FetchAsync(ctl, host, $"{Ours.DebugAddress}{Path}", FetchRate, seconds, cancel);

    public override Task LookAwayAsync(string ctl, string host, double seconds, CancellationToken cancel) =>
        FetchAsync(ctl, host, $"{ElsewhereAddress}/", FetchRate, seconds, cancel);
}

/// <summary>Has the page open: takes its events, once a second. They say what /status says.</summary>
internal sealed class PageWatcher : Watcher
{
    public override string? Lacks => Contender.Missing("curl");

    protected override string Path => "/status";

    public override async Task WatchAsync(string ctl, string host, double seconds, CancellationToken cancel)
    {
        await using LabProcess viewer = LabProcess.Start(host, "curl", "-sN", $"http://{Ours.DebugAddress}/events");
        await Task.Delay(TimeSpan.FromSeconds(seconds), cancel).ConfigureAwait(false);
        int events = viewer.Output.Split("event: status").Length - 1;
        if (events < seconds / 2)
            throw new LabException($"{Ours.DebugAddress}/events: {events} events in {seconds} s");
    }

    public override async Task LookAwayAsync(string ctl, string host, double seconds, CancellationToken cancel)
    {
        await using LabProcess viewer = LabProcess.Start(host, "curl", "-sN", $"http://{ElsewhereAddress}/");
        await Task.Delay(TimeSpan.FromSeconds(seconds), cancel).ConfigureAwait(false);
    }
}
