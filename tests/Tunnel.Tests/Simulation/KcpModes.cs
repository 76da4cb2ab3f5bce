using Tunnel.Protocol.Kcp;

namespace Tunnel.Tests.Simulation;

/// <summary>The modes that tables of figures compare, each with its name there.</summary>
internal static class KcpModes
{
    public static readonly (string Name, KcpOptions Options) Fast = (
        "fast (nodelay 0, interval 30, resend 2, wdelay)",
        new() { NoDelay = false, Interval = 30, WriteDelay = true, AckNoDelay = false });

    public static readonly (string Name, KcpOptions Options) Fast3 = (
        "fast3 (nodelay 1, interval 10, resend 2, acknodelay)",
        new() { NoDelay = true, Interval = 10 });
}
