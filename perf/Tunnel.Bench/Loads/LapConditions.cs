using Tunnel.Bench.Cables;
using Tunnel.Bench.Contenders;

namespace Tunnel.Bench.Loads;

/// <summary>What a load runs over.</summary>
/// <param name="Laid">The cable.</param>
/// <param name="Running">Who carries it.</param>
/// <param name="Ctl">tunnelctl.</param>
/// <param name="Seconds">That are measured.</param>
/// <param name="Folder">For files; removed after.</param>
internal sealed record LapConditions(LaidCable Laid, RunningContender Running, string Ctl, double Seconds, string Folder)
{
    /// <summary>A window grows by round trips, and on a long line they are long.</summary>
    public double WarmUpFactor => Laid.Cable.IsEmulated ? 2 : 1;
}
