using Tunnel.App.Config;
using Tunnel.Links;
using Tunnel.Links.Host;

namespace Tunnel.App.Hosting;

/// <summary>Notices that this host's network has changed.</summary>
internal static class NetworkWatch
{
    /// <summary>Null where the kernel does not tell; ordinary UDP gets along without.</summary>
    /// <param name="link">What the network is watched for.</param>
    /// <param name="changed">Called on a thread of the pool: it may wait, for a neighbour say, and the monitor's thread must not.</param>
    /// <exception cref="LinkException">The kernel does not tell, and must.</exception>
    public static HostNetworkMonitor? Start(LinkKind link, Action changed)
    {
        try
        {
            var monitor = new HostNetworkMonitor();
            monitor.Changed += () => _ = Task.Run(changed);
            return monitor;
        }
        catch (LinkException) when (link == LinkKind.Udp)
        {
            return null;
        }
    }
}
