using Tunnel.Links;

namespace Tunnel.App.Hosting;

/// <summary>What the process's exit says, by class of error.</summary>
public static class ExitCode
{
    public const int Success = 0;

    /// <summary>Anything not listed here.</summary>
    public const int Failure = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>The configuration file is wrong or cannot be read.</summary>
    public const int Configuration = 3;

    /// <summary>CAP_NET_RAW or CAP_NET_ADMIN is missing.</summary>
    public const int Privilege = 4;

    /// <summary>A library or program is not installed.</summary>
    public const int MissingDependency = 5;

    /// <summary>The interface, a route or an address is not there.</summary>
    public const int Network = 6;

    /// <summary>A port is taken.</summary>
    public const int PortInUse = 7;

    /// <summary>A second signal cut the orderly stop short: what still ran was broken off.</summary>
    public const int Hurried = 8;

    public static int For(LinkFault fault) => fault switch
    {
        LinkFault.Privilege => Privilege,
        LinkFault.MissingDependency => MissingDependency,
        LinkFault.Network => Network,
        LinkFault.PortInUse => PortInUse,
        LinkFault.Configuration => Configuration,
        _ => Failure,
    };
}
