using System.Diagnostics;
using System.Globalization;

namespace Tunnel.Ctl.Bench;

/// <summary>What processes of this host spent while a window was open, from /proc.</summary>
/// <param name="ids">Process ids; one that is not there counts nothing, one that ends is left out.</param>
internal sealed class ProcessMeter(IReadOnlyList<int> ids)
{
    /// <summary>The kernel's USER_HZ, the same on every machine that .NET runs on.</summary>
    private const double TicksPerSecond = 100;

    private const int UserTicks = 13;
    private const int SystemTicks = 14;

    /// <summary>Bytes by which memory that stands still may grow in a <see cref="RestPeriod"/>.</summary>
    public const long RestGrowth = 128 << 10;

    private static readonly TimeSpan RestPeriod = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RestLimit = TimeSpan.FromSeconds(30);

    private Sample[] _start = [];
    private Sample[] _mark = [];
    private Sample[] _end = [];

    /// <summary>
    /// Waits until nobody's memory grows by itself, as that of a process does which began a few seconds ago and is being compiled: what
    /// a load then adds is the load's. Gives up after <see cref="RestLimit"/>.
    /// </summary>
    public async Task WaitForRestAsync(CancellationToken cancel)
    {
        long start = Stopwatch.GetTimestamp();
        Sample[] before = TakeSamples();
        while (ids.Count != 0 && Stopwatch.GetElapsedTime(start) < RestLimit)
        {
            await Task.Delay(RestPeriod, cancel).ConfigureAwait(false);
            Sample[] now = TakeSamples();
            if (now.Zip(before).All(pair => pair.First.Resident - pair.Second.Resident <= RestGrowth))
                return;
            before = now;
        }
    }

    public static bool IsThere(int id) => TakeSample(id).Name.Length != 0;

    /// <summary>Before the load.</summary>
    public void Start() => _mark = _start = TakeSamples();

    /// <summary>The window opens.</summary>
    public void Mark() => _mark = TakeSamples();

    /// <summary>The window closes.</summary>
    public void Stop() => _end = TakeSamples();

    /// <summary>What each spent until then.</summary>
    public IReadOnlyList<ProcessUse> Uses =>
    [
        .. _end.Select((end, i) => (End: end, Use: new ProcessUse(
            ids[i], end.Name, end.Seconds - _mark[i].Seconds, _start[i].Resident, end.Resident, end.Peak)))
            // One that ended meanwhile has no figures.
            .Where(p => p.End.Name.Length != 0)
            .Select(p => p.Use),
    ];

    private Sample[] TakeSamples() => [.. ids.Select(TakeSample)];

    private static Sample TakeSample(int id)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{id}/stat");
            int nameEnd = stat.LastIndexOf(')');
            string[] fields = stat[(nameEnd + 2)..].Split(' ');
            double ticks = Parse(fields[UserTicks - 2]) + Parse(fields[SystemTicks - 2]);
            string[] status = File.ReadAllLines($"/proc/{id}/status");
            return new Sample(stat[(stat.IndexOf('(') + 1)..nameEnd], ticks / TicksPerSecond, Bytes(status, "VmRSS:"), Bytes(status, "VmHWM:"));
        }
        catch (IOException)
        {
            return new Sample("", 0, 0, 0);
        }
    }

    private static double Parse(string number) => double.Parse(number, CultureInfo.InvariantCulture);

    private static long Bytes(string[] status, string name)
    {
        string? line = status.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        return line is null ? 0 : (long)Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim()) * 1024;
    }

    private readonly record struct Sample(string Name, double Seconds, long Resident, long Peak);
}
