using System.Globalization;
using System.Net;

namespace Tunnel.Ctl.Init;

/// <summary>What a new pair of ends shall be, and the text of its files.</summary>
internal sealed record InitPlan
{
    public const int DefaultPort = 9999;
    public const string DefaultSocks5 = "127.0.0.1:1080";
    public const string KeyName = "tunnel.key";
    public const string ServerName = "server.toml";
    public const string ClientName = "client.toml";

    /// <summary>Where clients find the server: a name or an address, with a port.</summary>
    public required string Server { get; init; }

    public required int Port { get; init; }

    /// <summary>network.link, at both ends.</summary>
    public required string Link { get; init; }

    /// <summary>Where the client serves SOCKS5.</summary>
    public required IPEndPoint Socks5 { get; init; }

    /// <summary>The key's text, and the password of a SOCKS5 listener that others than this host reach.</summary>
    public required string Key { get; init; }

    /// <inheritdoc cref="Key"/>
    public required string Password { get; init; }

    public string ServerText => $"""
        # The server's end of a pair that tunnelctl init made; {ClientName} is the other, and both need {KeyName}.
        [listen]
        port = {Port.ToString(CultureInfo.InvariantCulture)}

        [network]
        link = "{Link}"

        [transport.kcp]
        key_file = "{KeyName}"

        """;

    public string ClientText => $"""
        # The client's end of a pair that tunnelctl init made; {ServerName} is the other, and both need {KeyName}.
        [server]
        address = "{Server}"

        [[socks5]]
        listen = "{Socks5}"
        {Credentials}
        [network]
        link = "{Link}"

        [transport.kcp]
        key_file = "{KeyName}"

        """;

    /// <summary>Strangers would find an open proxy within hours.</summary>
    private string Credentials => IPAddress.IsLoopback(Socks5.Address) ? "" : $"username = \"tunnel\"\npassword = \"{Password}\"\n";

    /// <summary>Reads ADDRESS, ADDRESS:PORT, NAME:PORT or [IPv6]:PORT.</summary>
    /// <param name="text">What a person wrote.</param>
    /// <param name="server">As a file has it.</param>
    /// <param name="port">The port, <see cref="DefaultPort"/> unless told.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static string? ParseServer(string text, out string server, out int port)
    {
        port = DefaultPort;
        server = text;
        if (text.Length == 0 || text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c is '"' or '\\'))
            return $"\"{text}\" is not ADDRESS:PORT";
        bool bare = IPAddress.TryParse(text, out IPAddress? address) && (text.Contains("::", StringComparison.Ordinal) || text.Count(c => c == ':') != 1);
        string host = bare && address!.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && text[0] != '[' ? $"[{text}]" : text;
        int colon = host.LastIndexOf(':');
        if (colon <= host.LastIndexOf(']'))
        {
            server = $"{host}:{DefaultPort}";
            return null;
        }

        server = host;
        return int.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536 && colon > 0
            ? null
            : $"\"{text}\" is not ADDRESS:PORT";
    }
}
