using System.Net;
using Tunnel.App.Config;
using Tunnel.App.Hosting;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Links.Host.Ethtool;

namespace Tunnel.Ctl.Check;

/// <summary>What a check asks the host for that is not in a file.</summary>
internal interface IHostCalls
{
    /// <summary>This process may write the kernel's settings.</summary>
    bool IsRoot { get; }

    /// <summary>libpcap's own words; null when it is not installed.</summary>
    string? LibpcapVersion { get; }

    (KernelClock? Clock, string? Problem) ReadClock();

    (IReadOnlyList<ListenQueue> Queues, string? Problem) ReadListenQueues();

    IReadOnlyList<FirewallSurvey> ReadFirewalls();

    /// <exception cref="LinkException">The kernel does not tell.</exception>
    IReadOnlyList<InterfaceInfo> Interfaces();

    /// <exception cref="LinkException">There is no way.</exception>
    HostRoute Resolve(HostQuery query);

    INicDevice Nic(string name);

    /// <exception cref="System.Net.Sockets.SocketException">The name does not resolve.</exception>
    Task<IPAddress[]> LookUpAsync(string name, CancellationToken cancel);

    Task<SessionProbeResult> ProbeAsync(ClientConfig config, TimeSpan timeout, CancellationToken cancel);
}
