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

    public static readonly ConfigKey<HostPort> ListenTarget = new("listen", "target", AddressTypes.Target)
    {
        Side = ConfigSide.Server,
        Example = "\"192.0.2.80:80\"",
        Doc = "Where every stream goes. Required with transport.profile = \"kcptun\", an error without: other streams name theirs.",
    };

    public static readonly ConfigKey<HostPort> ServerAddress = new("server", "address", AddressTypes.Target)
    {
        Side = ConfigSide.Client,
        Example = "\"192.0.2.1:9999\"",
        Doc = "The tunnel server. Required.",
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
        Doc = "What is forwarded. With \"udp\" a stream for each sender, which ends after 60 s of silence; not with the kcptun profile.",
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
        Doc = "What is carried. With \"udp\" a stream for each sender, which ends after 60 s of silence.",
    };

    public static readonly IReadOnlyList<ConfigKey> All =
    [
        ListenPort, ListenTarget, ServerAddress,
        Socks5Listen, Socks5Username, Socks5Password, Socks5Anyone,
        ForwardListen, ForwardTarget, ForwardProtocol,
        ReverseListen, ReverseTarget, ReverseProtocol,
    ];
}
