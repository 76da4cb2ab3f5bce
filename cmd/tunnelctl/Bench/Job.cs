using System.Net;
using Tunnel.Ctl.Bench.Workloads;

namespace Tunnel.Ctl.Bench;

/// <summary>What a verb wants done.</summary>
/// <param name="Workload">Its name.</param>
/// <param name="Target">As given.</param>
/// <param name="Detail">What is particular to it.</param>
/// <param name="Create">Makes a worker's.</param>
internal sealed record Job(string Workload, string Target, string Detail, Func<int, IWorkload> Create)
{
    /// <summary>GET over HTTP/1.1.</summary>
    /// <param name="url">http://HOST:PORT/PATH.</param>
    /// <param name="keepAlive">Or a connection for each request.</param>
    /// <param name="routeTo">The way to a host.</param>
    /// <exception cref="FormatException">It is something else than that.</exception>
    public static Job Http(string url, bool keepAlive, Func<DnsEndPoint, Route> routeTo)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Scheme != "http")
            throw new FormatException($"\"{url}\" is not http://HOST:PORT/PATH (TLS would be measured instead of the tunnel)");
        Route route = routeTo(new DnsEndPoint(uri.Host.Trim('[', ']'), uri.Port));
        string detail = $"GET {uri.PathAndQuery}, {(keepAlive ? "kept alive" : "a connection each")}";
        return new Job("http", uri.ToString(), detail, _ => new HttpWorkload(route, uri.PathAndQuery, keepAlive));
    }

    /// <summary>Round trips over connections that stay.</summary>
    /// <exception cref="FormatException">The target is not HOST:PORT.</exception>
    public static Job Tcp(string target, int bytes, Func<DnsEndPoint, Route> routeTo)
    {
        Route route = routeTo(Route.ParseTarget(target));
        return new Job("tcp", target, $"{bytes} bytes there and back", _ => new EchoWorkload(route, bytes));
    }

    /// <summary>New connections, with a byte that is echoed or without.</summary>
    /// <inheritdoc cref="Tcp"/>
    public static Job Connect(string target, bool echo, Func<DnsEndPoint, Route> routeTo)
    {
        Route route = routeTo(Route.ParseTarget(target));
        return new Job("connect", target, echo ? "with a byte echoed" : "only", _ => new ConnectWorkload(route, echo));
    }

    /// <summary>Round trips of datagrams.</summary>
    /// <inheritdoc cref="Tcp"/>
    public static Job Udp(string target, int bytes, TimeSpan patience, Func<DnsEndPoint, Route> routeTo)
    {
        Route route = routeTo(Route.ParseTarget(target));
        return new Job("udp", target, $"{bytes} bytes there and back", _ => new UdpWorkload(route, bytes, patience));
    }

    /// <summary>As much as connections carry.</summary>
    /// <inheritdoc cref="Tcp"/>
    public static Job Bulk(string target, BulkDirection direction, Func<DnsEndPoint, Route> routeTo)
    {
        Route route = routeTo(Route.ParseTarget(target));
        return new Job("bulk", target, direction == BulkDirection.Up ? "up" : "down", _ => new BulkWorkload(route, direction));
    }

    /// <summary>Connections that are opened and left alone.</summary>
    /// <inheritdoc cref="Tcp"/>
    public static Job Hold(string target, Func<DnsEndPoint, Route> routeTo)
    {
        Route route = routeTo(Route.ParseTarget(target));
        return new Job("hold", target, "idle", _ => new HoldWorkload(route));
    }
}
