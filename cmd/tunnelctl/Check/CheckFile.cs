using Tunnel.App.Config;

namespace Tunnel.Ctl.Check;

/// <summary>The configuration file that a check was given: of which end it is, and what it says or what is wrong with it.</summary>
internal sealed record CheckFile
{
    public required string Path { get; init; }

    /// <summary>Null when it is a server's, or has problems.</summary>
    public ClientConfig? Client { get; init; }

    /// <summary>Null when it is a client's, or has problems.</summary>
    public ServerConfig? Server { get; init; }

    /// <summary>Each with the file's name, line and column.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <inheritdoc cref="Problems"/>
    public required IReadOnlyList<string> Warnings { get; init; }

    public NetworkConfig? Network => Client?.Network ?? Server?.Network;

    public TransportConfig? Transport => Client?.Transport ?? Server?.Transport;

    /// <summary>Reads a file of either end. One that fits neither has the problems of the end that it is closer to.</summary>
    public static CheckFile Load(string path)
    {
        ConfigResult<ClientConfig> client = ConfigLoader.LoadClient(path);
        ConfigResult<ServerConfig> server = ConfigLoader.LoadServer(path);
        bool isServer = !client.IsValid && (server.IsValid || server.Problems.Count < client.Problems.Count);
        return new CheckFile
        {
            Path = path,
            Client = client.Config,
            Server = isServer ? server.Config : null,
            Problems = isServer ? Describe(path, server.Problems) : Describe(path, client.Problems),
            Warnings = isServer ? Describe(path, server.Warnings) : Describe(path, client.Warnings),
        };
    }

    private static string[] Describe(string path, IReadOnlyList<ConfigProblem> problems) => [.. problems.Select(p => p.ToString(path))];
}
