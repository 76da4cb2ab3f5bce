using System.Net;

namespace Tunnel.Ctl.Bench;

/// <summary>The way to a target: straight, or through a SOCKS5 proxy such as the tunnel's client.</summary>
/// <param name="Target">The host as the last hop sees it, and its port.</param>
/// <param name="Proxy">Null: straight.</param>
internal sealed record Route(DnsEndPoint Target, Socks5Proxy? Proxy)
{
    /// <summary>A name is looked up once; the last hop's lookup is not what is measured.</summary>
    private IPEndPoint? _straight;

    /// <exception cref="FormatException">It is not HOST:PORT.</exception>
    public static DnsEndPoint ParseTarget(string text)
    {
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? "" : text[..colon].Trim('[', ']');
        if (host.Length == 0 || !ushort.TryParse(text.AsSpan(colon + 1), out ushort port) || port == 0)
            throw new FormatException($"\"{text}\" is not HOST:PORT");
        return new DnsEndPoint(host, port);
    }

    /// <summary>Makes a TCP connection that is ready for the target's bytes.</summary>
    /// <param name="opened">Told of the socket as soon as there is one, so that it can be given up meanwhile.</param>
    public async ValueTask<BenchSocket> ConnectAsync(Action<BenchSocket> opened)
    {
        IPEndPoint first = Proxy is { } proxy ? proxy.Address : await ResolveAsync().ConfigureAwait(false);
        BenchSocket socket = await BenchSocket.ConnectAsync(first, opened).ConfigureAwait(false);
        if (Proxy is not null)
            await Proxy.ConnectAsync(socket, Target).ConfigureAwait(false);
        return socket;
    }

    /// <summary>The target's address when there is no proxy.</summary>
    public async ValueTask<IPEndPoint> ResolveAsync()
    {
        if (_straight is not null)
            return _straight;
        if (IPAddress.TryParse(Target.Host, out IPAddress? literal))
            return _straight = new IPEndPoint(literal, Target.Port);
        IPAddress[] addresses = await Dns.GetHostAddressesAsync(Target.Host).ConfigureAwait(false);
        return _straight = new IPEndPoint(addresses[0], Target.Port);
    }
}
