namespace Tunnel.App.Config;

/// <param name="Level">The least important message that is written.</param>
/// <param name="Format">How.</param>
public sealed record LogConfig(LogThreshold Level, LogFormat Format);

public enum LogFormat
{
    Text,
    Json,
}

public enum LogThreshold
{
    Trace,
    Debug,
    Info,
    Warning,
    Error,
}
