using Tunnel.Ctl.Check;

namespace Tunnel.Tests.Check;

/// <summary>Where the card sits: lanes of its slot, and the processors near it.</summary>
public sealed class SlotTests : IDisposable
{
    private const string Device = $"/sys/class/net/{FixtureHost.Interface}/device";

    private readonly FixtureHost _host = new();

    public void Dispose() => _host.Dispose();

    /// <summary>The card does 10 Gbit/s and could have eight lanes of 8 GT/s.</summary>
    [Theory]
    [InlineData("8.0 GT/s PCIe", "8", "Good", "8 GT/s x8 of at most 8 GT/s x8: 63015 Mbit/s")]
    [InlineData("8.0 GT/s PCIe", "4", "Good", "8 GT/s x4 of at most 8 GT/s x8: 31508 Mbit/s")]
    [InlineData("8.0 GT/s PCIe", "1", "Advice", "8 GT/s x1 of at most 8 GT/s x8: 7877 Mbit/s")]
    [InlineData("2.5 GT/s PCIe", "8", "Advice", "2.5 GT/s x8 of at most 8 GT/s x8: 16000 Mbit/s")]
    [InlineData("Unknown", "255", "Unknown", "eth7 is no PCI card, or does not tell")]
    [InlineData("8.0 GT/s PCIe", "255", "Unknown", "eth7 is no PCI card, or does not tell")]
    public async Task TheSlotCarriesTheCardsSpeed(string speed, string width, string verdict, string now)
    {
        Assert.Equal(FindingVerdict.Unknown, (await _host.FindAsync("nic.pcie")).Verdict);
        _host.Write($"{Device}/current_link_speed", speed + "\n").Write($"{Device}/current_link_width", width + "\n")
            .Write($"{Device}/max_link_speed", "8.0 GT/s PCIe\n").Write($"{Device}/max_link_width", "8\n");
        Finding finding = await _host.FindAsync("nic.pcie");
        Assert.Equal((Enum.Parse<FindingVerdict>(verdict), now), (finding.Verdict, finding.Is));
    }

    /// <summary>A card whose speed is not known is to have all its lanes.</summary>
    [Fact]
    public async Task WithoutASpeedAllLanesAreWanted()
    {
        _host.Write($"/sys/class/net/{FixtureHost.Interface}/speed", "-1\n");
        _host.Write($"{Device}/current_link_speed", "8.0 GT/s PCIe\n").Write($"{Device}/current_link_width", "4\n")
            .Write($"{Device}/max_link_speed", "8.0 GT/s PCIe\n").Write($"{Device}/max_link_width", "8\n");
        Finding finding = await _host.FindAsync("nic.pcie");
        Assert.Equal((FindingVerdict.Advice, "its most"), (finding.Verdict, finding.Should));
    }

    [Fact]
    public async Task OneMemoryNodeIsNear()
    {
        _host.Write("/sys/devices/system/node/online", "0\n");
        Assert.Equal(FindingVerdict.Good, (await _host.FindAsync("nic.numa")).Verdict);
    }

    [Theory]
    [InlineData("8-15", "Good", null)]
    [InlineData("9,11", "Good", null)]
    [InlineData("0-15", "Advice", "taskset -acp 8-15 4242")]
    [InlineData("nonsense", "Advice", "taskset -acp 8-15 4242")]
    public async Task TheTunnelIsToRunNearItsCard(string allowed, string verdict, string? command)
    {
        _host.Write("/sys/devices/system/node/online", "0-1\n").Write("/sys/devices/system/node/node1/cpulist", "8-15\n");
        Assert.Equal(FindingVerdict.Unknown, (await _host.FindAsync("nic.numa")).Verdict);
        _host.Write($"{Device}/numa_node", "1\n");
        Finding nobody = await _host.FindAsync("nic.numa");
        Assert.Equal((FindingVerdict.Unknown, "node 1, processors 8-15; no tunnel runs here"), (nobody.Verdict, nobody.Is));
        _host.Write("/proc/4242/comm", "tunnel-client\n").Write("/proc/4242/status", $"Name:\ttunnel-client\nCpus_allowed_list:\t{allowed}\n");
        Finding finding = await _host.FindAsync("nic.numa");
        Assert.Equal((Enum.Parse<FindingVerdict>(verdict), command), (finding.Verdict, finding.Command));
    }
}
