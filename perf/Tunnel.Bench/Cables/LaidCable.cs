using System.Globalization;
using Tunnel.Ctl;
using Tunnel.Ctl.Emulate;
using Tunnel.Ctl.Lab;
using Tunnel.Links.Emulation;

namespace Tunnel.Bench.Cables;

/// <summary>A cable between two namespaces, with the target at its end.</summary>
internal sealed class LaidCable : IAsyncDisposable
{
    /// <summary>Of the target's ports the first: HTTP; echo and bulk are on the next two.</summary>
    public const int TargetPort = 9000;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(10);

    private readonly string _ctl;
    private readonly LabProcess _target;

    private LaidCable(Cable cable, LabNetwork network, string ctl, LabProcess target)
    {
        Cable = cable;
        Network = network;
        _ctl = ctl;
        _target = target;
    }

    public Cable Cable { get; }

    public LabNetwork Network { get; }

    /// <param name="cable">Which.</param>
    /// <param name="number">Tells several at one time apart.</param>
    /// <param name="ctl">tunnelctl.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="LabException">It cannot be made.</exception>
    public static async Task<LaidCable> LayAsync(Cable cable, int number, string ctl, CancellationToken cancel)
    {
        LabNetwork network = await LabNetwork.CreateAsync($"race{number}", cancel, cut: cable.IsEmulated).ConfigureAwait(false);
        try
        {
            await TakePortsAgainAsync(network, cancel).ConfigureAwait(false);
            if (!cable.Offloads)
                await TurnOffloadsOffAsync(network, cancel).ConfigureAwait(false);
            LabProcess target = LabProcess.Start(network.Server, ctl, "bench", "serve", "--listen", $"0.0.0.0:{TargetPort}");
            var laid = new LaidCable(cable, network, ctl, target);
            await target.WaitForAsync("serving", StartTimeout, cancel).ConfigureAwait(false);
            return laid;
        }
        catch
        {
            await network.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Where connections are new each time, both ends may use a port again after a second, as the kernel does on loopback by itself. Otherwise it
    /// searches among the ports in TIME_WAIT, and whoever connects over the cable is measured with that search, whoever connects on loopback without.
    /// </summary>
    private static async Task TakePortsAgainAsync(LabNetwork network, CancellationToken cancel)
    {
        foreach (string? host in (string?[])[network.Client, network.Server])
            await LabProcess.RunAsync(host, cancel, "sysctl", "-q", "-w", "net.ipv4.tcp_tw_reuse=1").ConfigureAwait(false);
    }

    /// <summary>Joins the cable's halves with its faults; null where there are none.</summary>
    /// <param name="seed">What faults are drawn from: the same for everybody in a round.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<LabProcess?> StartFaultsAsync(int seed, CancellationToken cancel)
    {
        if (!Cable.IsEmulated)
            return null;
        LabProcess emulator = LabProcess.Start(
            Network.Middle,
            [
                _ctl, "emulate", "--between", LabNetwork.MiddleInterfaces, "--json",
                "--seed", seed.ToString(CultureInfo.InvariantCulture), .. Cable.Faults,
            ]);
        try
        {
            await emulator.WaitForAsync("carrying frames", StartTimeout, cancel).ConfigureAwait(false);
            return emulator;
        }
        catch
        {
            await emulator.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What an emulator that has stopped says it did.</summary>
    /// <exception cref="LabException">It does not say.</exception>
    public static CableUse ReadUse(LabProcess stopped)
    {
        string output = stopped.Output;
        int start = output.IndexOf('{', StringComparison.Ordinal);
        return start < 0 ? throw new LabException($"the emulator did not say what it did:\n{output}") : CableUse.Of(JsonText.Read<EmulationReport>(output[start..]));
    }

    public async ValueTask DisposeAsync()
    {
        await _target.DisposeAsync().ConfigureAwait(false);
        await Network.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task TurnOffloadsOffAsync(LabNetwork network, CancellationToken cancel)
    {
        foreach (string? netns in new[] { network.Client, network.Server })
        {
            await LabProcess.RunAsync(netns, cancel, "ethtool", "-K", LabNetwork.Interface, "tso", "off", "gso", "off", "gro", "off")
                .ConfigureAwait(false);
        }
    }
}

/// <summary>What an emulated cable did to packets, both directions together.</summary>
/// <param name="Delivered">That arrived.</param>
/// <param name="Lost">As it was told to.</param>
/// <param name="Overflowed">That found its queue full.</param>
/// <param name="Missed">That the kernel dropped because the emulator was too slow: more than a few, and the lap says nothing.</param>
internal sealed record CableUse(long Delivered, long Lost, long Overflowed, long Missed)
{
    public static CableUse Of(EmulationReport report)
    {
        PathCounters there = report.There, back = report.Back;
        return new CableUse(
            there.Wire.Delivered + back.Wire.Delivered,
            there.Wire.Lost + back.Wire.Lost,
            there.Wire.Overflowed + back.Wire.Overflowed,
            there.KernelDrops + there.Refused + back.KernelDrops + back.Refused);
    }
}
