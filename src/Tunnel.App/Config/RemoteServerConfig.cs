namespace Tunnel.App.Config;

/// <summary>A server that a client may use, or a name that stands for several. Exactly one of Address and Srv is set.</summary>
/// <param name="Address">Where it is; a name stands for all of its addresses.</param>
/// <param name="Srv">The name of SRV records, each of which is a server with a port, priority and weight of its own.</param>
/// <param name="Weight">Its share of new streams among servers of the same priority.</param>
/// <param name="Priority">Lower is preferred; others are used only while none of the better ones is up.</param>
/// <param name="Ports">Consecutive ports that it listens on, from the address's on.</param>
public sealed record RemoteServerConfig(HostPort? Address, string? Srv, int Weight, int Priority, int Ports)
{
    /// <summary>What the file calls it.</summary>
    public string Name => Address?.ToString() ?? Srv!;
}
