using System.Net;
using System.Net.Sockets;

namespace Tunnel.App.Config;

/// <summary>A host (a name or an IP literal, without brackets) and a port: where something is, resolved by whoever goes there.</summary>
public sealed record HostPort(string Host, int Port)
{
    /// <summary>The address, if the host is a literal; null for a name.</summary>
    public IPAddress? Literal => IPAddress.TryParse(Host, out IPAddress? address) ? address : null;

    public override string ToString() =>
        Literal is { AddressFamily: AddressFamily.InterNetworkV6 } ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
