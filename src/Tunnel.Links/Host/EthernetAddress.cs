using System.Net.NetworkInformation;

namespace Tunnel.Links.Host;

/// <summary>What the platform's <see cref="PhysicalAddress"/> leaves open: six bytes, and the address of interfaces that have none.</summary>
internal static class EthernetAddress
{
    public const int Length = 6;

    /// <summary>The address of loopback.</summary>
    public static readonly PhysicalAddress Zero = new(new byte[Length]);
}
