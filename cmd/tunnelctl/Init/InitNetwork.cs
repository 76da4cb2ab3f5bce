using System.Net;
using Tunnel.Links;
using Tunnel.Links.Host;

namespace Tunnel.Ctl.Init;

/// <summary>What this host's network looks like from here, to suggest and to show.</summary>
/// <param name="Interface">By which packets to the server leave; null when there is no way, which <paramref name="Problem"/> explains.</param>
/// <param name="Address">This host's address on it.</param>
/// <param name="Problem">Why nothing was found.</param>
internal sealed record InitNetwork(string? Interface, string? Address, string? Problem)
{
    /// <summary>Looks for the way to the server, or with null for the one that a server of this host would be reached by.</summary>
    public static InitNetwork Find(IPAddress? server)
    {
        try
        {
            HostRoute route = HostNetwork.Resolve(new HostQuery { Remote = server, NeighbourWaitMilliseconds = 200 });
            return new InitNetwork(route.Interface, route.LocalAddress.ToString(), null);
        }
        catch (LinkException e)
        {
            return new InitNetwork(null, null, e.Message);
        }
    }
}
