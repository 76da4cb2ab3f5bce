using Microsoft.Extensions.Logging.Abstractions;
using Tunnel.App.Config;
using Tunnel.App.Hosting;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Ctl.Dump.Decoding;
using Tunnel.Links.Host;

namespace Tunnel.Ctl.Dump;

/// <summary>What a configuration says about a tunnel's packets: keys, ports, the interface.</summary>
internal sealed record DumpSource(TunnelKey Key, (int First, int Last) Ports, Func<string> Interface)
{
    /// <summary>A client's or a server's file: the one that has a server's address is a client's.</summary>
    /// <exception cref="StartException">It is neither.</exception>
    public static DumpSource Load(string file)
    {
        ConfigResult<ClientConfig> client = ConfigLoader.LoadClient(file);
        if (client.Config is { } c)
            return new DumpSource(KeyOf(c.Transport), PortsOf(c), () => InterfaceOf(c));
        ConfigResult<ServerConfig> server = ConfigLoader.LoadServer(file);
        if (server.Config is { } s)
            return new DumpSource(KeyOf(s.Transport), (s.Port, s.Port + s.Ports - 1), () => s.Network.Interface ?? InterfaceOf(s));
        throw new StartException(
            ExitCode.Configuration, $"as a client's file:\n{client.DescribeProblems()}\nas a server's file:\n{server.DescribeProblems()}");
    }

    private static TunnelKey KeyOf(TransportConfig transport)
    {
        SessionFactory factory = Stack.CreateFactory(transport, () => transport.Kcp, new LimitMeter(NullLogger.Instance), new TrafficLedger());
        return TunnelKey.FromCipher($"{transport.Kcp.Block}".ToLowerInvariant(), factory.CreateCipher(), factory.Guard?.CreateGuard());
    }

    /// <summary>Those of the servers that the file names; any, where SRV records name them.</summary>
    private static (int First, int Last) PortsOf(ClientConfig config)
    {
        (int First, int Last)[] spans = [.. config.Servers.Where(s => s.Address is not null).Select(s => (s.Address!.Port, s.Address.Port + s.Ports - 1))];
        return spans.Length != config.Servers.Count ? (1, ushort.MaxValue) : (spans.Min(s => s.First), spans.Max(s => s.Last));
    }

    private static string InterfaceOf(ClientConfig config)
    {
        if (config.Network.Interface is { } name)
            return name;
        if (config.FirstServer.Address is not { } address)
            throw new StartException(ExitCode.Configuration, "the server is named by SRV records: say the interface with --interface, and the port with --port");
        System.Net.IPAddress server = address.Literal ?? System.Net.Dns.GetHostAddresses(address.Host)[0];
        return HostAddresses.RouteTo(config.Network, server).Interface;
    }

    private static string InterfaceOf(ServerConfig config) => config.Network.IPv4.Address is { } address && System.Net.IPAddress.IsLoopback(address)
        ? "lo"
        : HostAddresses.ServerRoute(config.Network).Interface;

    /// <summary>The interface that IPv4, else IPv6, leaves by.</summary>
    /// <exception cref="Links.LinkException">There is none.</exception>
    public static string DefaultInterface()
    {
        try
        {
            return HostNetwork.Resolve(new HostQuery { NeighbourWaitMilliseconds = 0 }).Interface;
        }
        catch (Links.LinkException)
        {
            return HostNetwork.Resolve(
                new HostQuery { Family = System.Net.Sockets.AddressFamily.InterNetworkV6, NeighbourWaitMilliseconds = 0 }).Interface;
        }
    }
}
