namespace Tunnel.App.Config;

/// <param name="Level">The least important message that is written.</param>
public sealed record LogConfig(LogThreshold Level);

public enum LogThreshold
{
    Trace,
    Debug,
    Info,
    Warning,
    Error,
}
