using System.Net;

namespace Tunnel.App.Config.Schema;

/// <summary>The keys of [debug].</summary>
internal static class DebugKeys
{
    public const int ShortestToken = 16;

    public static readonly ConfigKey<IPEndPoint> Pprof = new("debug", "pprof", AddressTypes.Listen)
    {
        Example = "\"127.0.0.1:6060\"",
        Doc = "Where HTTP shows what the process does: a page at /, /metrics, /status, /events, /config, /healthz, /readyz and /debug/pprof/. "
            + "Without it there is no such server. An address that is not loopback needs a token.",
    };

    public static readonly ConfigKey<Secret> Token = new("debug", "token", BasicTypes.Secret(255))
    {
        Example = "\"a-long-random-text\"",
        Doc = "What visitors must present, as \"Authorization: Bearer TOKEN\", or once as ?token=TOKEN in a browser; at least 16 bytes. "
            + "Only /healthz and /readyz need none.",
    };

    public static readonly IReadOnlyList<ConfigKey> All = [Pprof, Token];
}
