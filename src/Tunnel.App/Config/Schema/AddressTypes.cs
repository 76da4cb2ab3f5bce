using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Schema;

/// <summary>
/// Hosts, listeners, IP and Ethernet addresses. Stricter than the platform's parsers, which take "1" and "010.0.0.1" for IPv4.
/// </summary>
internal static class AddressTypes
{
    /// <summary>Where something is reached.</summary>
    public static readonly ConfigType<HostPort> Target = new(
        "\"host:port\", \"ipv4:port\" or \"[ipv6]:port\" with a port from 1 to 65535",
        value => ReadText(value, text =>
            Split(text, 1) is var (host, port) && IsHost(host) ? new HostPort(Unbracket(host), port) : null));

    /// <summary>Where to listen.</summary>
    public static readonly ConfigType<IPEndPoint> Listen = new(
        "\"ipv4:port\" or \"[ipv6]:port\" with a port from 0 (any free one) to 65535",
        value => ReadText(value, text =>
            Split(text, 0) is var (host, port) && ReadIP(host) is { } ip ? new IPEndPoint(ip, port) : null));

    /// <summary>Where another machine is to listen.</summary>
    public static readonly ConfigType<IPEndPoint> RemoteListen = new(
        "\"ipv4:port\" or \"[ipv6]:port\" with a port from 1 to 65535",
        value => ReadText(value, text =>
            Split(text, 1) is var (host, port) && ReadIP(host) is { } ip ? new IPEndPoint(ip, port) : null));

    /// <summary>A name in the DNS.</summary>
    public static readonly ConfigType<string> Name = new(
        "a DNS name",
        value => ReadText(value, text => IsName(text) && !text.StartsWith('.') ? text.TrimEnd('.') : null));

    public static readonly ConfigType<IPAddress> IPv4 = new("an IPv4 address", value => ReadText(value, ReadIPv4));

    public static readonly ConfigType<IPAddress> IPv6 = new("an IPv6 address", value => ReadText(value, ReadIPv6));

    public static readonly ConfigType<PhysicalAddress> Mac = new(
        "an Ethernet address such as \"aa:bb:cc:dd:ee:ff\"",
        value => ReadText(value, ReadMac));

    private static Parsed<T> ReadText<T>(TomlValue value, Func<string, T?> read)
        where T : class => value switch
        {
            TomlString text when read(text.Value) is { } result => Parsed<T>.Good(result),
            TomlString text => Parsed<T>.Bad($"{BasicTypes.Quote(text.Value)} is not that"),
            _ => Parsed<T>.Mismatch(value),
        };

    private static (string Host, int Port)? Split(string text, int minPort)
    {
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !TryReadNumber(text.AsSpan(colon + 1), 5, out int port) || port < minPort || port > ushort.MaxValue)
            return null;

        return (text[..colon], port);
    }

    private static bool IsHost(string host) => ReadIP(host) is not null || IsName(host);

    private static string Unbracket(string host) => host.Trim('[', ']');

    private static IPAddress? ReadIP(string host) => host is ['[', .. var inner, ']'] ? ReadIPv6(inner) : ReadIPv4(host);

    internal static IPAddress? ReadIPv4(string text)
    {
        string[] parts = text.Split('.');
        return parts.Length == 4 && parts.All(IsOctet) ? IPAddress.Parse(text) : null;
    }

    private static bool IsOctet(string text) =>
        TryReadNumber(text, 3, out int number) && number < 256 && (text.Length == 1 || text[0] != '0');

    internal static IPAddress? ReadIPv6(string text)
    {
        bool isPlain = text.Contains(':') && text.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.');
        return isPlain && IPAddress.TryParse(text, out IPAddress? ip) && ip.AddressFamily == AddressFamily.InterNetworkV6 ? ip : null;
    }

    /// <summary>A DNS name. The last label is no number: what ends so was meant as an IPv4 address.</summary>
    internal static bool IsName(string host)
    {
        string[] labels = host.TrimEnd('.').Split('.');
        return host.Length <= 253 && labels.All(IsLabel) && !labels[^1].All(char.IsAsciiDigit);
    }

    private static bool IsLabel(string label) =>
        label.Length is >= 1 and <= 63
        && label[0] != '-'
        && label[^1] != '-'
        && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static PhysicalAddress? ReadMac(string text)
    {
        string[] parts = text.Split(':');
        bool isPlain = parts.Length == 6 && parts.All(part => part.Length == 2 && part.All(char.IsAsciiHexDigit));
        return isPlain ? new PhysicalAddress(Convert.FromHexString(text.Replace(":", ""))) : null;
    }

    /// <summary>Digits only: the platform's parser would take NULs behind them.</summary>
    internal static bool TryReadNumber(ReadOnlySpan<char> digits, int maxDigits, out int number)
    {
        number = 0;
        return digits.Length <= maxDigits
            && digits.IndexOfAnyExceptInRange('0', '9') < 0
            && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
