using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Tunnel.App.Config;
using Tunnel.App.Hosting;
using Tunnel.Ctl.Check;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Links.Host.Ethtool;

namespace Tunnel.Tests.Check;

/// <summary>A host made of files in a folder and of answers that a test chooses: two processors, one card with one queue, 4 GiB.</summary>
internal sealed class FixtureHost : IHostCalls, IDisposable
{
    public const string Interface = "eth7";
    public const string Kernel = "/proc/sys/";

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("tunnel-check-");

    public FixtureHost(bool empty = false)
    {
        if (!empty)
            FixtureFiles.Write(this);
    }

    public FakeNic Card { get; } = new();

    public KernelFiles Files => new(_root.FullName);

    public bool IsRoot { get; set; } = true;

    public string? LibpcapVersion { get; set; } = "libpcap version 1.10.5";

    public (KernelClock? Clock, string? Problem) Clock { get; set; } = (new KernelClock(true, TimeSpan.FromMilliseconds(3)), null);

    public (IReadOnlyList<ListenQueue> Queues, string? Problem) ListenQueues { get; set; } = ([], null);

    public IReadOnlyList<FirewallSurvey> Firewalls { get; set; } = [new("nft", null, [])];

    public HostRoute? Route { get; set; } = new(
        Interface, 7, 1500, PhysicalAddress.Parse("02-00-00-00-00-01"), IPAddress.Parse("10.7.0.2"), IPAddress.Parse("10.7.0.1"),
        PhysicalAddress.Parse("02-00-00-00-00-02"), false);

    public SessionProbeResult Probe { get; set; } = new(TimeSpan.FromMilliseconds(12), TimeSpan.FromMilliseconds(2), null);

    public string PathOf(string path) => Path.Combine(_root.FullName, path.TrimStart('/'));

    public FixtureHost Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(path))!);
        File.WriteAllText(PathOf(path), text);
        return this;
    }

    public void Link(string path, string target) => File.CreateSymbolicLink(PathOf(path), target);

    public string Read(string path) => File.ReadAllText(PathOf(path));

    public void Remove(string path) => File.Delete(PathOf(path));

    public CheckContext Context(TuningProfile profile = TuningProfile.Throughput, string? interfaceName = Interface) =>
        CheckContext.ForSetting(Files, this, profile, interfaceName);

    /// <summary>A whole check; what happens between the two samples is the test's.</summary>
    public async Task<CheckReport> CheckAsync(TuningProfile profile = TuningProfile.Throughput, string? config = null, Action? between = null)
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        var request = new CheckRequest { Files = Files, Calls = this, Profile = profile, ConfigPath = config, ProbeTimeout = TimeSpan.FromSeconds(1) };
        CheckContext context = await CheckContext.GatherAsync(request, () => Task.Run(() => between?.Invoke(), cancel), cancel);
        return await CheckRun.RunAsync(context, _ => { }, cancel);
    }

    public async Task<Finding> FindAsync(string name, TuningProfile profile = TuningProfile.Throughput, string? config = null, Action? between = null) =>
        Assert.Single((await CheckAsync(profile, config, between)).Findings, f => f.Name == name);

    public (KernelClock? Clock, string? Problem) ReadClock() => Clock;

    public (IReadOnlyList<ListenQueue> Queues, string? Problem) ReadListenQueues() => ListenQueues;

    public IReadOnlyList<FirewallSurvey> ReadFirewalls() => Firewalls;

    public IReadOnlyList<InterfaceInfo> Interfaces() =>
        Route is null ? [] : [new(Interface, 7, Route.InterfaceMac, 1500, true, false, true, [Route.LocalAddress], default)];

    public HostRoute Resolve(HostQuery query) => Route ?? throw new LinkException(LinkFault.Network, "there is no route");

    public INicDevice Nic(string name) => Card;

    public Task<IPAddress[]> LookUpAsync(string name, CancellationToken cancel) => name == "known.test"
        ? Task.FromResult<IPAddress[]>([IPAddress.Parse("192.0.2.9")])
        : throw new SocketException((int)SocketError.HostNotFound);

    public Task<SessionProbeResult> ProbeAsync(ClientConfig config, TimeSpan timeout, CancellationToken cancel) => Task.FromResult(Probe);

    public void Dispose() => _root.Delete(recursive: true);
}
