namespace Tunnel.App.Config.Schema;

/// <summary>The keys of [transport] and [log].</summary>
internal static class TransportKeys
{
    public static readonly ConfigKey<int> Conn = new("transport", "conn", BasicTypes.Integer(1, 256))
    {
        Default = "1",
        Doc = "Sessions that the client keeps to each of its servers. More sessions use more cores.",
    };

    public static readonly ConfigKey<TransportProfile> Profile = new(
        "transport",
        "profile",
        BasicTypes.Choice(("paqet", TransportProfile.Paqet), ("kcptun", TransportProfile.Kcptun)))
    {
        Default = "\"paqet\"",
        Doc = "Whose dialect is spoken. \"kcptun\" needs network.link = \"udp\" and has no guard; its peer runs without compression.",
    };

    public static readonly ConfigKey<HeaderDialect> Header = new(
        "transport",
        "header",
        BasicTypes.Choice(("v1", HeaderDialect.V1), ("v3", HeaderDialect.V3), ("gob", HeaderDialect.Gob)))
    {
        Side = ConfigSide.Client,
        Default = "\"v1\"",
        Doc = "How streams name their targets: \"v1\" for tunnel-server and paqet alpha.21, \"v3\" or \"gob\" for paqet forks. "
            + "\"gob\" is also for paqet up to alpha.19. Servers understand all.",
    };

    public static readonly ConfigKey<TimeSpan> OpenTimeout = new(
        "transport",
        "open_timeout",
        UnitTypes.Duration(DurationUnit.Seconds, "1s", "5m"))
    {
        Side = ConfigSide.Client,
        Default = "\"10s\"",
        Doc = "How long opening a stream waits for a session.",
    };

    public static readonly ConfigKey<TimeSpan> DialTimeout = new(
        "transport",
        "dial_timeout",
        UnitTypes.Duration(DurationUnit.Seconds, "1s", "5m"))
    {
        IsLive = true,
        Default = "\"10s\"",
        Doc = "How long connecting to a target may take; at a client, to a [[reverse]] target.",
    };

    public static readonly ConfigKey<TimeSpan> Grace = new("transport", "grace", UnitTypes.Duration(DurationUnit.Seconds, "0s", "5m"))
    {
        IsLive = true,
        Default = "\"3s\"",
        Doc = "How long a stop waits for streams to end.",
    };

    public static readonly ConfigKey<long?> Memory = new("transport", "memory", UnitTypes.LargeSize(1L << 20, 1L << 40).Or("auto"))
    {
        IsLive = true,
        Default = "\"auto\"",
        Doc = "What all sessions together may hold in their windows and buffers. From 80 % on, the windows that are given to peers become "
            + "smaller; beyond, no new session or stream is taken. \"auto\" is a quarter of the memory that this process may use: the machine's, or its control group's.",
    };

    public static readonly ConfigKey<LogThreshold> LogLevel = new(
        "log",
        "level",
        BasicTypes.Choice(
            ("trace", LogThreshold.Trace),
            ("debug", LogThreshold.Debug),
            ("info", LogThreshold.Info),
            ("warning", LogThreshold.Warning),
            ("error", LogThreshold.Error)))
    {
        IsLive = true,
        Default = "\"info\"",
        Doc = "The least important message that is written. \"trace\" has a line for each datagram that comes, goes or is dropped, "
            + "and no limit to them: to look on, not to leave on.",
    };

    public static readonly ConfigKey<LogFormat> LogFormat = new(
        "log", "format", BasicTypes.Choice(("text", Config.LogFormat.Text), ("json", Config.LogFormat.Json)))
    {
        Default = "\"text\"",
        Doc = "How messages are written: \"text\" for people; \"json\" for programs, one object a line.",
    };

    public static readonly IReadOnlyList<ConfigKey> All =
        [Conn, Profile, Header, OpenTimeout, DialTimeout, Grace, Memory, LogLevel, LogFormat];
}
