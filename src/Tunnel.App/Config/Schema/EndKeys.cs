using System.Net;

namespace Tunnel.App.Config.Schema;

/// <summary>The keys of the tables that only one end's file has: [listen]; [server], [[socks5]], [[forward]], [[reverse]].</summary>
internal static class EndKeys
{
    public static readonly ConfigKey<int> ListenPort = new("listen", "port", BasicTypes.Integer(1, 65535))
    {
        Side = ConfigSide.Server,
        Example = "9999",
        Doc = "The port that clients send to. Required.",
    };

    public static readonly ConfigKey<int> ListenPorts = new("listen", "ports", BasicTypes.Integer(1, 256))
    {
        Side = ConfigSide.Server,
        Default = "1",
        Doc = "How many consecutive ports, from that one on. Clients that know use one for each of their connections.",
    };

    public static readonly ConfigKey<HostPort> ListenTarget = new("listen", "target", AddressTypes.Target)
    {
        Side = ConfigSide.Server,
        Example = "\"192.0.2.80:80\"",
        Doc = "Where every stream goes. Required with transport.profile = \"kcptun\", an error without: other streams name theirs.",
    };

    public static readonly ConfigKey<HostPort> ServerAddress = new("server", "address", AddressTypes.Target)
    {
        IsLive = true,
        Side = ConfigSide.Client,
        Example = "\"192.0.2.1:9999\"",
        Doc = "The tunnel server. Either this or srv is required. A name stands for all of its addresses: connections are spread over them.",
    };

    public static readonly ConfigKey<string> ServerSrv = new("server", "srv", AddressTypes.Name)
    {
        IsLive = true,
        Side = ConfigSide.Client,
        Example = "\"_tunnel._udp.example.net\"",
        Doc = "The name of SRV records instead of an address: each of them is a server, with the record's port, priority and weight.",
    };

    public static readonly ConfigKey<int> ServerWeight = new("server", "weight", BasicTypes.Integer(1, 65535))
    {
        IsLive = true,
        Side = ConfigSide.Client,
        Default = "1",
        Doc = "The server's share of new streams among those of the same priority. With srv, the share of all its records together.",
    };

    public static readonly ConfigKey<int> ServerPriority = new("server", "priority", BasicTypes.Integer(0, 65535))
    {
        IsLive = true,
        Side = ConfigSide.Client,
        Default = "0",
        Doc = "Lower is preferred: servers of a higher number get new streams only while none of a lower one is up.",
    };

    public static readonly ConfigKey<int> ServerPorts = new("server", "ports", BasicTypes.Integer(1, 256))
    {
        IsLive = true,
        Side = ConfigSide.Client,
        Default = "1",
        Doc = "How many consecutive ports the server listens on. Connection i uses port + i, and the first one when that does not answer.",
    };

    public static readonly ConfigKey<IPEndPoint> Socks5Listen = new("socks5", "listen", AddressTypes.Listen)
    {
        IsLive = true,
        Side = ConfigSide.Client,
        Example = "\"127.0.0.1:1080\"",
        Doc = "Where SOCKS5 is served. Required.",
    };

    public static readonly ConfigKey<Secret> Socks5Username = new("socks5", "username", BasicTypes.Secret(255))
    {
        IsLive = true,
        Side = ConfigSide.Client,
        Example = "\"replace-me\"",
        Doc = "Both or neither of username and password. With them, users must present them.",
    };

    public static readonly ConfigKey<Secret> Socks5Password = new("socks5", "password", BasicTypes.Secret(255))
    {
        IsLive = true,
        Side = ConfigSide.Client,
        Example = "\"replace-me-too\"",
        Doc = "See username.",
    };

    public static readonly ConfigKey<bool> Socks5Anyone = new("socks5", "anyone", BasicTypes.Boolean)
    {
        IsLive = true,
        Side = ConfigSide.Client,
        Default = "false",
        Doc = "Serve whoever reaches an address that is not loopback without username and password. Otherwise such a listener is refused.",
    };

    public static readonly ConfigKey<IPEndPoint> ForwardListen = new("forward", "listen", AddressTypes.Listen)
    {
        IsLive = true,
        Side = ConfigSide.Client,
        Example = "\"127.0.0.1:8080\"",
        Doc = "Where connections are taken. Required.",
    };

    public static readonly ConfigKey<HostPort> ForwardTarget = new("forward", "target", AddressTypes.Target)
    {
        IsLive = true,
        Side = ConfigSide.Client,
        Example = "\"192.0.2.80:80\"",
        Doc = "Where they go, as the server sees it. Required; an error with transport.profile = \"kcptun\": there the server knows.",
    };

    public static readonly ConfigKey<ForwardProtocol> ForwardProtocol = new(
        "forward",
        "protocol",
        BasicTypes.Choice(("tcp", Config.ForwardProtocol.Tcp), ("udp", Config.ForwardProtocol.Udp)))
    {
        IsLive = true,
        Side = ConfigSide.Client,
        Default = "\"tcp\"",
        Doc = "What is forwarded. With \"udp\" a stream for each sender, for as long as [udp] says; not with the kcptun profile.",
    };

    public static readonly ConfigKey<IPEndPoint> ReverseListen = new("reverse", "listen", AddressTypes.RemoteListen)
    {
        Side = ConfigSide.Client,
        Example = "\"0.0.0.0:8080\"",
        Doc = "Where the server is to listen, an address of its own; its [reverse] allow must list it. \"[::]\" is IPv4 as well. Required.",
    };

    public static readonly ConfigKey<HostPort> ReverseTarget = new("reverse", "target", AddressTypes.Target)
    {
        Side = ConfigSide.Client,
        Example = "\"127.0.0.1:80\"",
        Doc = "Where what connects there goes, as the client sees it. Required.",
    };

    public static readonly ConfigKey<ForwardProtocol> ReverseProtocol = new(
        "reverse",
        "protocol",
        BasicTypes.Choice(("tcp", Config.ForwardProtocol.Tcp), ("udp", Config.ForwardProtocol.Udp)))
    {
        Side = ConfigSide.Client,
        Default = "\"tcp\"",
        Doc = "What is carried. With \"udp\" a stream for each sender, for as long as the server's [udp] says.",
    };

    public static readonly IReadOnlyList<ConfigKey> All =
    [
        ListenPort, ListenPorts, ListenTarget,
        ServerAddress, ServerSrv, ServerWeight, ServerPriority, ServerPorts,
        Socks5Listen, Socks5Username, Socks5Password, Socks5Anyone,
        ForwardListen, ForwardTarget, ForwardProtocol,
        ReverseListen, ReverseTarget, ReverseProtocol,
    ];
}
