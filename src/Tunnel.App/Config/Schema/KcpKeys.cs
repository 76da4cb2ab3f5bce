namespace Tunnel.App.Config.Schema;

/// <summary>The keys of [transport.kcp]: the engine, what protects it, the multiplexer above it.</summary>
internal static class KcpKeys
{
    private const string Table = "transport.kcp";
    private const string ManualOnly = "Only with mode = \"manual\".";

    /// <summary>Null stands for manual.</summary>
    public static readonly ConfigKey<KcpTuning?> Mode = new(
        Table,
        "mode",
        BasicTypes.Choice<KcpTuning?>(
            ("normal", KcpTuning.Normal),
            ("fast", KcpTuning.Fast),
            ("fast2", KcpTuning.Fast2),
            ("fast3", KcpTuning.Fast3),
            ("manual", null)))
    {
        Default = "\"fast3\"",
        Doc = "How eagerly losses are repaired, from normal to fast3; manual takes the six keys that follow.",
    };

    public static readonly ConfigKey<bool> NoDelay = new(Table, "nodelay", BasicTypes.BooleanOrBit)
    {
        Default = "true",
        Doc = $"A smaller first retransmission timeout that grows slower. {ManualOnly}",
    };

    public static readonly ConfigKey<TimeSpan> Interval = new(
        Table,
        "interval",
        UnitTypes.Duration(DurationUnit.Milliseconds, "10ms", "5000ms", whole: true))
    {
        Default = "10",
        Doc = $"The time between two updates. {ManualOnly}",
    };

    public static readonly ConfigKey<int> Resend = new(Table, "resend", BasicTypes.Integer(0, 32))
    {
        Default = "2",
        Doc = $"Later acknowledgements that make a segment lost; 0: never. {ManualOnly}",
    };

    public static readonly ConfigKey<bool> NoCongestion = new(Table, "nocongestion", BasicTypes.BooleanOrBit)
    {
        Default = "true",
        Doc = $"Send as much as the windows allow, whatever is lost. {ManualOnly}",
    };

    public static readonly ConfigKey<bool> WDelay = new(Table, "wdelay", BasicTypes.Boolean)
    {
        Default = "false",
        Doc = $"Let what is written wait for the next update. {ManualOnly}",
    };

    public static readonly ConfigKey<bool> AckNoDelay = new(Table, "acknodelay", BasicTypes.Boolean)
    {
        Default = "true",
        Doc = $"Send acknowledgements at once. {ManualOnly}",
    };

    public static readonly ConfigKey<bool> Pacing = new(Table, "pacing", BasicTypes.Boolean)
    {
        Default = "true",
        Doc = "Spread what is sent over time by the rate at which it arrives, on paths of 4 ms and more there and back, so that windows may be "
            + "larger than the path's queue. Without nocongestion it does nothing: there the congestion window says how much.",
    };

    public static readonly ConfigKey<int?> Mtu = new(Table, "mtu", BasicTypes.Integer(128, 1500, "bytes").OrAuto())
    {
        Default = "\"auto\"",
        Doc = "The largest datagram, without guard and headers. \"auto\" finds out what the path carries, jumbo frames too, where the other "
            + "end does the same, and is 1350 where it does not. What the interface's MTU cannot hold is refused at start.",
    };

    public static readonly ConfigKey<int> RcvWnd = new(Table, "rcvwnd", BasicTypes.Integer(1, 65535, "segments"))
    {
        Default = "2048",
        Doc = "The receive window. With sndwnd it bounds a session's speed: window times mtu in each round trip.",
    };

    public static readonly ConfigKey<int> SndWnd = new(Table, "sndwnd", BasicTypes.Integer(1, 65535, "segments"))
    {
        Default = "2048",
        Doc = "The send window.",
    };

    public static readonly ConfigKey<Secret> Key = new(Table, "key", BasicTypes.Secret(4096))
    {
        Example = "\"replace-me-with-tunnelctl-keygen\"",
        Doc = "The secret that both ends share. Exactly one of key and key_file, unless block is \"none\" or \"null\" and guard is false.",
    };

    public static readonly ConfigKey<string> KeyFile = new(
        Table,
        "key_file",
        BasicTypes.Text("the path of a file", path => path.Length > 0 && !path.Contains('\0')))
    {
        Example = "\"tunnel.key\"",
        Doc = "A file that holds the key, relative to this file's folder. Line ends at its end are ignored.",
    };

    public static readonly ConfigKey<KcpBlock> Block = new(Table, "block", BlockTypes.Block)
    {
        Default = "\"aes-128-gcm\"",
        Doc = "The cipher. With profile \"kcptun\" the default is \"aes\". \"none\" and \"null\" do not encrypt.",
    };

    public static readonly ConfigKey<bool> Guard = new(Table, "guard", BasicTypes.Boolean)
    {
        Default = "true",
        Doc = "A cookie in front of every datagram: strangers cost almost nothing. With profile \"kcptun\" it must be, and is, off.",
    };

    public static readonly ConfigKey<string> GuardMagic = new(
        Table,
        "guard_magic",
        BasicTypes.Text("exactly 4 ASCII characters", text => text.Length == 4 && text.All(char.IsAscii)))
    {
        Default = "\"PQT1\"",
        Doc = "What the guard's header begins with. The same at both ends.",
    };

    public static readonly ConfigKey<TimeSpan> GuardWindow = new(
        Table,
        "guard_window",
        UnitTypes.Duration(DurationUnit.Seconds, "1s", "3600s", whole: true))
    {
        Default = "30",
        Doc = "How long a cookie is valid. The same at both ends.",
    };

    public static readonly ConfigKey<int> GuardSkew = new(Table, "guard_skew", BasicTypes.Integer(0, 10, "windows"))
    {
        Default = "1",
        Doc = "How far the clocks of the two ends may differ. 0 means 1.",
    };

    public static readonly ConfigKey<int> SmuxBuf = new(Table, "smuxbuf", UnitTypes.Size(64 << 10, 1 << 30))
    {
        Default = "\"32MiB\"",
        Doc = "What a session buffers for all its streams together.",
    };

    public static readonly ConfigKey<int> StreamBuf = new(Table, "streambuf", UnitTypes.Size(16 << 10, 1 << 30))
    {
        Default = "\"8MiB\"",
        Doc = "What a session buffers for one stream: its speed is at most this in two round trips, or three where much is lost. "
            + "At most smuxbuf, which is also its default where it is smaller.",
    };

    public static readonly ConfigKey<int> SmuxVersion = new(Table, "smux_version", BasicTypes.Integer(1, 2))
    {
        Default = "2",
        Doc = "The multiplexer's version. The same at both ends.",
    };

    public static readonly ConfigKey<TimeSpan> KeepAlive = new(Table, "keepalive", UnitTypes.Duration(DurationUnit.Seconds, "1s", "10m"))
    {
        Default = "\"10s\"",
        Doc = "The time between two signs of life.",
    };

    public static readonly ConfigKey<TimeSpan> KeepAliveTimeout = new(
        Table,
        "keepalive_timeout",
        UnitTypes.Duration(DurationUnit.Seconds, "1s", "1h"))
    {
        Default = "\"30s\"",
        Doc = "Silence after which a session is dead. Longer than keepalive.",
    };

    public static readonly ConfigKey<int> MaxSessions = new(Table, "max_sessions", BasicTypes.Integer(1, 65_536))
    {
        UsedBy = ConfigSide.Server,
        IsLive = true,
        Default = "512",
        Doc = "Sessions at one time.",
    };

    public static readonly ConfigKey<int> MaxStreamsTotal = new(Table, "max_streams_total", BasicTypes.Integer(1, 1_048_576))
    {
        IsLive = true,
        Default = "16384",
        Doc = "Streams at one time, in all sessions together.",
    };

    public static readonly ConfigKey<int> MaxStreamsPerSession = new(Table, "max_streams_per_session", BasicTypes.Integer(1, 1_048_576))
    {
        IsLive = true,
        Default = "1024",
        Doc = "Streams at one time in one session.",
    };

    public static readonly ConfigKey<TimeSpan> HeaderTimeout = new(
        Table,
        "header_timeout",
        UnitTypes.Duration(DurationUnit.Seconds, "100ms", "5m"))
    {
        UsedBy = ConfigSide.Server,
        IsLive = true,
        Default = "\"10s\"",
        Doc = "How long a new stream may take to say where it goes.",
    };

    /// <summary>The keys that only the manual mode has.</summary>
    public static readonly IReadOnlyList<ConfigKey> Manual = [NoDelay, Interval, Resend, NoCongestion, WDelay, AckNoDelay];

    public static readonly IReadOnlyList<ConfigKey> All =
    [
        Mode, .. Manual, Pacing, Mtu, RcvWnd, SndWnd,
        Key, KeyFile, Block, Guard, GuardMagic, GuardWindow, GuardSkew,
        SmuxBuf, StreamBuf, SmuxVersion, KeepAlive, KeepAliveTimeout, MaxSessions, MaxStreamsTotal, MaxStreamsPerSession, HeaderTimeout,
    ];
}
