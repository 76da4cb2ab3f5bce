namespace Tunnel.App.Config;

/// <summary>What the configurations of both ends have.</summary>
public interface IProcessConfig
{
    TransportConfig Transport { get; }

    LogConfig Log { get; }

    OtlpConfig? Otlp { get; }

    DebugConfig Debug { get; }
}
