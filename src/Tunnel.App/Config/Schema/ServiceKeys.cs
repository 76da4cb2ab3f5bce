namespace Tunnel.App.Config.Schema;

/// <summary>The keys of [listeners], [targets] and [reverse].</summary>
internal static class ServiceKeys
{
    public static readonly ConfigKey<IReadOnlyList<TargetRule>> TargetsAllow = new("targets", "allow", TargetRulesType.List)
    {
        IsLive = true,
        Side = ConfigSide.Server,
        Default = "[]",
        Doc = "Where streams may go. Empty: everywhere that is not denied, this machine's own loopback and its neighbours included.",
    };

    public static readonly ConfigKey<IReadOnlyList<TargetRule>> TargetsDeny = new("targets", "deny", TargetRulesType.List)
    {
        IsLive = true,
        Side = ConfigSide.Server,
        Default = "[]",
        Doc = "Where they may not, whatever is allowed. Names are judged as names, and once more by the addresses that they resolve to; an "
            + "address is judged by networks only. IPv4-mapped addresses count as IPv4.",
    };

    public static readonly ConfigKey<IReadOnlyList<TargetRule>> ReverseAllow = new("reverse", "allow", TargetRulesType.Addresses)
    {
        Side = ConfigSide.Server,
        Default = "[]",
        Doc = "Where clients may have this server listen. Empty: nowhere. A network means the addresses in it, so that \"0.0.0.0\" (every address) "
            + "must be listed itself or be in the network; so must \"[::]\", which is IPv4 as well.",
    };

    public static readonly ConfigKey<int?> Backlog = new("listeners", "backlog", BasicTypes.Integer(1, int.MaxValue).Or("max"))
    {
        Default = "\"max\"",
        Doc = "Connections that may wait to be accepted. \"max\" is the kernel's limit (net.core.somaxconn), which cuts larger numbers; "
            + "each reload (SIGHUP) takes that limit as it is then.",
    };

    public static readonly ConfigKey<int?> Acceptors = new("listeners", "acceptors", BasicTypes.Integer(1, 256).OrAuto())
    {
        Default = "\"auto\"",
        Doc = "Sockets on each listener's address, each with a queue of its own (SO_REUSEPORT). \"auto\" is one a core.",
    };

    public static readonly ConfigKey<int> MaxConnections = new("listeners", "max_connections", BasicTypes.Integer(1, 1 << 20))
    {
        IsLive = true,
        Default = "16384",
        Doc = "Connections at one time, over all listeners. Each takes a file descriptor; those beyond are closed at once.",
    };

    public static readonly IReadOnlyList<ConfigKey> All = [Backlog, Acceptors, MaxConnections, TargetsAllow, TargetsDeny, ReverseAllow];
}
