namespace Tunnel.App.Config.Schema;

/// <summary>The keys of [udp].</summary>
internal static class UdpKeys
{
    public static readonly ConfigKey<TimeSpan> Idle = new("udp", "idle", UnitTypes.Duration(DurationUnit.Seconds, "1s", "24h"))
    {
        IsLive = true,
        Default = "\"2m\"",
        Doc = "A flow ends when nothing went either way for so long: 2 minutes is the least that RFC 4787 allows a NAT. Ends with the other "
            + "end's, if that is shorter (paqet: 60 s), and begins again with the next datagram.",
    };

    public static readonly ConfigKey<TimeSpan> AnsweredIdle =
        new("udp", "answered_idle", UnitTypes.Duration(DurationUnit.Seconds, "100ms", "24h"))
        {
            IsLive = true,
            Default = "\"2s\"",
            Doc = "The same for a short exchange, such as DNS: at most 4 datagrams to a port below 1024, as many of which came back. While answers are "
                + "missing it is 30 s. Not longer than idle.",
        };

    public static readonly ConfigKey<int?> MaxFlows = new("udp", "max_flows", BasicTypes.Integer(1, 1 << 20).OrAuto())
    {
        IsLive = true,
        Default = "\"auto\"",
        Doc = "Flows at one time, over all of a client's listeners (at a server: of each reverse forward). Beyond it the least wanted one ends: an exchange "
            + "that was answered, then what was never answered, then the quietest. \"auto\" is half of transport.conn times max_streams_per_session.",
    };

    public static readonly ConfigKey<int> MaxAssociations = new("udp", "max_associations", BasicTypes.Integer(1, 1 << 20))
    {
        IsLive = true,
        Default = "256",
        Doc = "Applications that may have a UDP ASSOCIATE of one SOCKS5 listener at one time; those beyond are told so. Each takes two file descriptors. (A client's.)",
    };

    public static readonly IReadOnlyList<ConfigKey> All = [Idle, AnsweredIdle, MaxFlows, MaxAssociations];
}
