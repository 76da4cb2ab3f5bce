using System.Text;

namespace Tunnel.EndToEnd.Harness;

/// <summary>A configuration file in the making. What is said later takes the place of what was said before.</summary>
internal sealed class TunnelSettings
{
    public const int ServerPort = 9999;
    public const string Key = "a key for these tests only";

    private readonly Dictionary<string, object> _values = [];
    private readonly List<string> _tables = [];

    private TunnelSettings()
    {
        this["transport.kcp.key"] = Key;
        this["log.level"] = "debug";
        // What a test leaves open need not be waited for.
        this["transport.grace"] = "0s";
    }

    public object this[string key]
    {
        set => _values[key] = value;
    }

    /// <summary>A server on raw TCP segments through libpcap, which finds everything else by itself.</summary>
    public static TunnelSettings PcapServer() => new()
    {
        ["listen.port"] = ServerPort,
        ["network.link"] = "pcap",
    };

    /// <param name="address">The server's, as in a file.</param>
    public static TunnelSettings PcapClient(string address) => new()
    {
        ["server.address"] = $"{address}:{ServerPort}",
        ["network.link"] = "pcap",
    };

    /// <summary>A server on ordinary UDP, on loopback.</summary>
    public static TunnelSettings UdpServer(int port) => new()
    {
        ["listen.port"] = port,
        ["network.link"] = "udp",
        ["network.ipv4.address"] = "127.0.0.1",
    };

    public static TunnelSettings UdpClient(int port) => new()
    {
        ["server.address"] = $"127.0.0.1:{port}",
        ["network.link"] = "udp",
    };

    public static string[] List(params string[] items) => items;

    public TunnelSettings With(string key, object value)
    {
        _values[key] = value;
        return this;
    }

    public TunnelSettings Without(string key)
    {
        _values.Remove(key);
        return this;
    }

    public TunnelSettings WithSocks5(string listen = "127.0.0.1:0", string? username = null, string? password = null)
    {
        string credentials = username is null ? "" : $"username = \"{username}\"\npassword = \"{password}\"\n";
        _tables.Add($"[[socks5]]\nlisten = \"{listen}\"\n{credentials}");
        return this;
    }

    /// <param name="target">Null where the server knows it (kcptun).</param>
    /// <param name="listen">Where; any port unless told.</param>
    /// <param name="protocol">tcp or udp.</param>
    public TunnelSettings WithForward(string? target, string listen = "127.0.0.1:0", string protocol = "tcp")
    {
        string to = target is null ? "" : $"target = \"{target}\"\n";
        _tables.Add($"[[forward]]\nlisten = \"{listen}\"\nprotocol = \"{protocol}\"\n{to}");
        return this;
    }

    /// <param name="listen">At the server.</param>
    /// <param name="target">Near the client.</param>
    public TunnelSettings WithReverse(string listen, string target)
    {
        _tables.Add($"[[reverse]]\nlisten = \"{listen}\"\ntarget = \"{target}\"\n");
        return this;
    }

    /// <summary>One of several servers; they take the place of the only one.</summary>
    /// <param name="address">host:port</param>
    /// <param name="keys">Lines of its table.</param>
    public TunnelSettings WithServer(string address, params string[] keys)
    {
        _tables.Add($"[[server]]\naddress = \"{address}\"\n{string.Join('\n', keys)}\n");
        return Without("server.address");
    }

    public string ToToml()
    {
        var text = new StringBuilder();
        foreach ((string key, object value) in _values)
            text.Append($"{key} = {Render(value)}\n");
        foreach (string table in _tables)
            text.Append('\n').Append(table);
        return text.ToString();
    }

    private static string Render(object value) => value switch
    {
        string s => $"\"{s}\"",
        string[] list => $"[{string.Join(", ", list.Select(Render))}]",
        bool b => b ? "true" : "false",
        _ => FormattableString.Invariant($"{value}"),
    };
}
