using System.Net;
using Tunnel.App.Config;
using Tunnel.App.Hosting;
using Tunnel.Links.Host;
using Tunnel.Links.Host.Ethtool;
using Tunnel.Links.Pcap;

namespace Tunnel.Ctl.Check;

/// <summary>This host.</summary>
internal sealed class HostCalls : IHostCalls
{
    public bool IsRoot => Environment.IsPrivilegedProcess;

    public string? LibpcapVersion => PcapLibrary.Version;

    public (KernelClock? Clock, string? Problem) ReadClock() => KernelClock.Read();

    public (IReadOnlyList<ListenQueue> Queues, string? Problem) ReadListenQueues() => ListenQueues.Read();

    public IReadOnlyList<FirewallSurvey> ReadFirewalls() => FirewallSurvey.Read();

    public IReadOnlyList<InterfaceInfo> Interfaces() => HostNetwork.Interfaces();

    public HostRoute Resolve(HostQuery query) => HostNetwork.Resolve(query);

    public INicDevice Nic(string name) => new EthtoolDevice(name);

    public Task<IPAddress[]> LookUpAsync(string name, CancellationToken cancel) => Dns.GetHostAddressesAsync(name, cancel);

    public Task<SessionProbeResult> ProbeAsync(ClientConfig config, TimeSpan timeout, CancellationToken cancel) =>
        SessionProbe.RunAsync(config, timeout, cancel);
}
