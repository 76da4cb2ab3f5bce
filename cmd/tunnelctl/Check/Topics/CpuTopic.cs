using System.Globalization;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>The processors: how fast they may go, and who else uses them.</summary>
internal sealed class CpuTopic : PromptTopic
{
    private const string Governor = "cpu.governor";
    private const string Idle = "cpu.idle";
    private const string Steal = "cpu.steal";
    private const string Load = "cpu.load";
    private const string Build = "runtime.build";
    private const string WhyGovernor = "a processor that slows down to save power adds latency to each burst";
    private const string WhyIdle = "a processor in a deep sleep takes so long to wake for a packet";
    private const string WhySteal = "time that the virtual machine's host gave to others: stalls look like loss";
    private const string WhyLoad = "other heavy work on the machine delays the tunnel's threads";

    public override string Topic => "cpu";

    public override string Title => "Processors and runtime";

    public override IReadOnlyList<string> Names => [Governor, Idle, Steal, Load, Build];

    protected override IEnumerable<Finding> Look(CheckContext context) =>
        [LookAtGovernor(context), LookAtIdle(context), LookAtSteal(context), LookAtLoad(context), LookAtBuild()];

    private static Finding LookAtGovernor(CheckContext context)
    {
        string[] governors =
        [
            .. context.OnlineProcessors
                .Select(i => context.Files.Read($"/sys/devices/system/cpu/cpu{i}/cpufreq/scaling_governor").Text?.Trim())
                .OfType<string>().Distinct(),
        ];
        if (governors.Length == 0)
            return Finding.Unknown(Governor, "the kernel does not govern the frequency here (in a virtual machine the host does)", WhyGovernor);
        bool met = context.Profile == TuningProfile.Small || governors is ["performance"];
        string command = "for f in /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor; do echo performance > $f; done";
        return Finding.Of(Governor, met, string.Join(", ", governors), context.Profile == TuningProfile.Small ? "as it is" : "performance", WhyGovernor, command);
    }

    /// <summary>The deepest state that is not turned off, of the first processor: they are alike.</summary>
    private static Finding LookAtIdle(CheckContext context)
    {
        const string folder = "/sys/devices/system/cpu/cpu0/cpuidle";
        const long most = 50;
        long? slowest = null;
        foreach (string state in context.Files.List(folder).Where(n => n.StartsWith("state", StringComparison.Ordinal)))
        {
            bool off = context.Files.Read($"{folder}/{state}/disable").TryNumber(out long disabled, out _) && disabled != 0;
            if (!off && context.Files.Read($"{folder}/{state}/latency").TryNumber(out long latency, out _))
                slowest = Math.Max(slowest ?? 0, latency);
        }

        if (slowest is not { } microseconds)
            return Finding.Unknown(Idle, "the kernel does not choose sleeps here (in a virtual machine the host does)", WhyIdle);
        bool isAsked = context.Profile == TuningProfile.Latency;
        return Finding.Of(
            Idle, !isAsked || microseconds <= most, $"{microseconds} us from the deepest sleep", isAsked ? $"{most} us at most" : "as it is", WhyIdle,
            $"cpupower idle-set -D {most + 1}");
    }

    private static Finding LookAtSteal(CheckContext context)
    {
        if (context.Before.Cpu is not { } before || context.After.Cpu is not { } after || after.Total <= before.Total)
            return Finding.Unknown(Steal, context.Files.Read("/proc/stat").Problem ?? "/proc/stat has no such line, or did not move", WhySteal);
        double share = Math.Max(0, after.Steal - before.Steal) * 100.0 / (after.Total - before.Total);
        return Finding.Of(Steal, share < 5, Percent(share) + " in the last second", "under 5 %", WhySteal);
    }

    private static Finding LookAtLoad(CheckContext context)
    {
        Reading reading = context.Files.Read("/proc/loadavg");
        if (reading.Words is not [var first, ..] || !double.TryParse(first, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double load))
            return Finding.Unknown(Load, reading.Problem ?? "/proc/loadavg is not what it should be", WhyLoad);
        string now = string.Create(CultureInfo.InvariantCulture, $"{load:0.00} in the last minute, processors: {context.Processors}");
        return Finding.Of(Load, load < context.Processors, now, $"under {context.Processors}", WhyLoad, "top -o %CPU");
    }

    /// <summary>The three executables are built together.</summary>
    private static Finding LookAtBuild()
    {
        bool debug = typeof(CpuTopic).Assembly.GetCustomAttributes(typeof(System.Diagnostics.DebuggableAttribute), false)
            .OfType<System.Diagnostics.DebuggableAttribute>().Any(a => a.IsJITOptimizerDisabled);
        return Finding.Of(
            Build, !debug, debug ? "Debug: not optimised" : "Release: optimised", "Release", "what is measured should be what is shipped", "./dev publish /usr/local/bin");
    }

    private static string Percent(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:0.#} %");
}
