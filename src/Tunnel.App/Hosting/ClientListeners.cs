using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Services;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Hosting;

/// <summary>
/// A client's listeners: those that its file names. When the file changes, those that stay keep their sockets and connections; one
/// that is gone accepts no more, and its connections go on. One caller at a time.
/// </summary>
/// <param name="udp">Carries datagrams; its opener carries connections.</param>
/// <param name="gate">What all of them share.</param>
/// <param name="logger">Where a user sees what cannot be listened on.</param>
/// <param name="stop">Ends their connections.</param>
internal sealed partial class ClientListeners(UdpService udp, ListenerGate gate, ILogger logger, CancellationToken stop) : IDisposable
{
    private List<Served> _current = [];

    /// <summary>In the order of the file: SOCKS5 first.</summary>
    public IReadOnlyList<ILocalListener> Current => [.. _current.Select(s => s.Listener)];

    /// <exception cref="StartException">An address cannot be listened on.</exception>
    public void Start(ClientConfig config)
    {
        foreach (ListenerConfig wanted in Wanted(config))
            _current.Add(Open(wanted));
    }

    /// <summary>Follows a changed file. What cannot be listened on is logged, and tried again with the next change or SIGHUP.</summary>
    public void Apply(ClientConfig config)
    {
        List<Served> before = [.. _current];
        Served?[] after = [.. Wanted(config).Select(wanted => Keep(before, wanted))];
        // First, as one that is new may want the address of one that goes.
        before.ForEach(Close);
        foreach (Served kept in after.OfType<Served>())
            kept.Listener.ListenAgain();
        List<Served> current = [];
        foreach ((Served? kept, ListenerConfig wanted) in after.Zip(Wanted(config)))
        {
            if ((kept ?? TryOpen(wanted)) is { } served)
                current.Add(served);
        }

        _current = current;
    }

    public void Dispose() => _current.ForEach(served => served.Listener.Dispose());

    private static IEnumerable<ListenerConfig> Wanted(ClientConfig config) => [.. config.Socks5, .. config.Forward];

    /// <summary>Takes the one out of <paramref name="candidates"/> that can serve it: several may have port 0, so one that does already is preferred.</summary>
    private static Served? Keep(List<Served> candidates, ListenerConfig wanted)
    {
        Served? kept = candidates.Find(s => s.Config == wanted) ?? candidates.Find(s => IsSameListener(s.Config, wanted));
        if (kept is null)
            return null;
        candidates.Remove(kept);
        kept.Config = wanted;
        return kept;
    }

    private static bool IsSameListener(ListenerConfig a, ListenerConfig b) =>
        a.Listen.Equals(b.Listen) && a.GetType() == b.GetType() && (a as ForwardConfig)?.Protocol == (b as ForwardConfig)?.Protocol;

    private void Close(Served served)
    {
        served.Listener.Dispose();
        LogClosed(logger, served.Listener.LocalEndPoint);
    }

    private Served? TryOpen(ListenerConfig wanted)
    {
        try
        {
            return Open(wanted);
        }
        catch (StartException e)
        {
            LogNotOpened(logger, e.Message);
            return null;
        }
    }

    private Served Open(ListenerConfig wanted)
    {
        var served = new Served(wanted);
        ILocalListener? listener = null;
        try
        {
            // The socket may not be had, any more than its address.
            listener = served.Listener = Create(served);
            listener.Bind();
            _ = listener.RunAsync(stop);
            return served;
        }
        catch (SocketException e)
        {
            listener?.Dispose();
            throw Explain(wanted.Listen, e);
        }
    }

    private ILocalListener Create(Served served) => served.Config switch
    {
        Socks5Config socks5 => new Socks5Listener(socks5.Listen, () => ((Socks5Config)served.Config).Credentials, udp, gate, logger),
        ForwardConfig { Protocol: ForwardProtocol.Udp } forward => new UdpForwardListener(
            "forward", forward.Listen, () => served.GetTarget().Port, (_, cancel) => udp.Opener.OpenUdpAsync(served.GetTarget(), cancel), udp, logger),
        _ => new ForwardListener(served.Config.Listen, served.GetTarget, udp.Opener, gate, logger),
    };

    private static StartException Explain(IPEndPoint wanted, SocketException e) => e.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => new StartException(
            ExitCode.PortInUse,
            $"{wanted} is taken: `ss -ltnp 'sport = :{wanted.Port}'` shows by whom"),
        SocketError.AccessDenied => new StartException(
            ExitCode.Privilege,
            $"no permission to listen on {wanted}: ports below 1024 need root or CAP_NET_BIND_SERVICE"),
        _ => new StartException(
            ExitCode.Network,
            $"cannot listen on {wanted} (`ip addr` lists this host's addresses): {e.Message}"),
    };

    /// <summary>A listener, and what it serves whoever comes now.</summary>
    private sealed class Served(ListenerConfig config)
    {
        private volatile ListenerConfig _config = config;

        public ILocalListener Listener { get; set; } = null!;

        /// <summary>Replaced as a whole; readers take no lock.</summary>
        public ListenerConfig Config
        {
            get => _config;
            set => _config = value;
        }

        /// <summary>Of a forward: what the server is asked for; nothing where it knows the target (kcptun).</summary>
        public Target GetTarget() =>
            ((ForwardConfig)Config).Target is { } target ? new Target(target.Host, (ushort)target.Port) : default;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "listens on {Address} no more; its connections go on")]
    private static partial void LogClosed(ILogger logger, System.Net.IPEndPoint address);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Problem}; goes on without that listener until the next reload")]
    private static partial void LogNotOpened(ILogger logger, string problem);
}
