using System.Net;

namespace Tunnel.Links.Host;

/// <summary>Which packets the firewall must leave alone: those of one tunnel end.</summary>
public sealed record FirewallRules
{
    public required FirewallRole Role { get; init; }

    /// <summary>The first of this end's own ports.</summary>
    public required int FirstPort { get; init; }

    /// <summary>The last one; the same as the first, or left at 0, for a single port.</summary>
    public int LastPort { get; init; }

    /// <summary>This end's own addresses; none means any.</summary>
    public IReadOnlyList<IPAddress> LocalAddresses { get; init; } = [];

    /// <summary>For a client the server's address: other connections of this host may come to have the same ports. Null means any.</summary>
    public IPAddress? RemoteAddress { get; init; }

    /// <summary>For a client the server's port; 0 means any.</summary>
    public int RemotePort { get; init; }

    /// <summary>The last of the server's ports, if there are several.</summary>
    public int LastRemotePort { get; init; }

    /// <summary>
    /// The setting that would keep the port; null when it is kept. Without it the port is another at each try, and a person's commands are for
    /// one that nobody has any more.
    /// </summary>
    public string? PortSetting { get; init; }

    internal string Name => $"tunnel_{FirstPort}";

    internal bool HasRemotePort => Role == FirewallRole.Client && RemotePort > 0;

    internal string LocalPorts(char separator) => Range(FirstPort, LastPort, separator);

    internal string RemotePorts(char separator) => Range(RemotePort, LastRemotePort, separator);

    private static string Range(int first, int last, char separator) => last > first ? $"{first}{separator}{last}" : $"{first}";
}

/// <summary>Whether the rules are a server's, which answers on its port whoever asks, or a client's towards a server's port.</summary>
public enum FirewallRole
{
    Client,
    Server,
}

/// <summary>What <see cref="Firewall.Check"/> found.</summary>
public enum FirewallState
{
    /// <summary>The rules are there as they were installed.</summary>
    Intact,

    /// <summary>Somebody removed or changed them; they have been installed again.</summary>
    Reinstalled,
}

/// <summary>Commands for a person: one way to install the rules and to remove them.</summary>
public sealed record ManualCommands(string Tool, IReadOnlyList<string> Install, IReadOnlyList<string> Remove);
