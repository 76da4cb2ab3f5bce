using System.Globalization;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.Links.Host;

namespace Tunnel.App.Hosting;

/// <summary>Says at start, rather than under load, that the kernel's limits are below the configuration's caps.</summary>
public static partial class KernelLimits
{
    /// <summary>What a process holds besides its connections: libraries, links, listeners, the runtime's own.</summary>
    public const int OtherDescriptors = 256;

    private const string SomaxconnFile = "/proc/sys/net/core/somaxconn";

    public static void Check(ClientConfig config, ILogger logger)
    {
        Warn(logger, DescriptorProblem(OpenFileLimit(), config.Listeners.MaxConnections, "listeners.max_connections"));
        Warn(logger, BacklogProblem(config.Listeners.Backlog, ReadNumber(SomaxconnFile)));
    }

    public static void Check(ServerConfig config, ILogger logger)
    {
        // What the listeners of reverse forwards take are streams, too.
        Warn(logger, DescriptorProblem(OpenFileLimit(), config.Transport.Kcp.MaxStreamsTotal, "transport.kcp.max_streams_total"));
        Warn(logger, BacklogProblem(config.Listeners.Backlog, ReadNumber(SomaxconnFile)));
    }

    /// <summary>
    /// The configuration with a cap that this process's descriptors suffice for: a runtime that gets none for its own needs does not
    /// survive that.
    /// </summary>
    public static ClientConfig Afford(ClientConfig config) => config with
    {
        Listeners = config.Listeners with { MaxConnections = Affordable(OpenFileLimit(), config.Listeners.MaxConnections) },
    };

    /// <inheritdoc cref="Afford(ClientConfig)"/>
    public static ServerConfig Afford(ServerConfig config)
    {
        KcpConfig kcp = config.Transport.Kcp;
        kcp = kcp with { MaxStreamsTotal = Affordable(OpenFileLimit(), kcp.MaxStreamsTotal) };
        return config with { Transport = config.Transport with { Kcp = kcp } };
    }

    /// <param name="limit">Descriptors that the process may have; 0 if that is not known.</param>
    /// <param name="connections">Connections that it is to carry.</param>
    /// <returns>Connections that it can carry.</returns>
    internal static int Affordable(ulong limit, int connections) =>
        limit == 0 ? connections : (int)Math.Clamp((long)Math.Min(limit, int.MaxValue) - OtherDescriptors, 1, connections);

    /// <param name="limit">Descriptors that the process may have; 0 if that is not known.</param>
    /// <param name="connections">Connections that it is to carry, a descriptor each.</param>
    /// <param name="key">The setting that says so.</param>
    /// <returns>What is wrong and how it is mended; null if nothing is.</returns>
    public static string? DescriptorProblem(ulong limit, int connections, string key)
    {
        ulong needed = (ulong)connections + OtherDescriptors;
        if (limit == 0 || limit >= needed)
            return null;
        return $"this process may open {limit} files, but {key} = {connections} needs {needed}: raise the hard limit (LimitNOFILE={needed} "
            + $"in the systemd unit, or ulimit -Hn), or lower {key} to {(limit > OtherDescriptors ? limit - OtherDescriptors : 1)}";
    }

    /// <param name="backlog">The configured number; null if it is the kernel's.</param>
    /// <param name="somaxconn">What the kernel cuts it to; null if that is not known.</param>
    /// <returns>What is wrong and how it is mended; null if nothing is.</returns>
    internal static string? BacklogProblem(int? backlog, int? somaxconn)
    {
        if (backlog is not { } wanted || somaxconn is not { } most || wanted <= most)
            return null;
        return $"listeners.backlog = {wanted} is cut to {most} by the kernel: sysctl -w net.core.somaxconn={wanted}";
    }

    private static ulong OpenFileLimit() => Privilege.RaiseOpenFileLimit().After;

    private static int? ReadNumber(string file)
    {
        try
        {
            string text = File.ReadAllText(file);
            return int.TryParse(text, NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int number) ? number : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Warn(ILogger logger, string? problem)
    {
        if (problem is not null)
            LogProblem(logger, problem);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}")]
    private static partial void LogProblem(ILogger logger, string problem);
}
