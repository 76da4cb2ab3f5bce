using System.Net;
using System.Net.Sockets;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Schema;

/// <summary>Lists of target rules: ["10.0.0.0/8", "[fd00::/8]:443", "*.example.com:1-1024", "*:25"].</summary>
internal static class TargetRulesType
{
    public const int MaxItems = 4096;

    private const int AllPortsFrom = 1;

    public static readonly ConfigType<IReadOnlyList<TargetRule>> List = new(
        $"a list of up to {MaxItems} strings: a network (\"10.0.0.0/8\", \"fd00::/8\"), an address, a name, \"*.name\" for those below it, "
        + "or \"*\"; perhaps with a port or ports behind (\"10.0.0.0/8:80\", \"[fd00::/8]:443\", \"*:1-1024\")",
        value => Read(value, _ => true));

    /// <summary>The same without names.</summary>
    public static readonly ConfigType<IReadOnlyList<TargetRule>> Addresses = new(
        $"a list of up to {MaxItems} strings: a network (\"10.0.0.0/8\", \"fd00::/8\"), an address, or \"*\" for any; perhaps with a port or "
        + "ports behind (\"0.0.0.0:8080\", \"[::1]:443\", \"*:8000-8999\")",
        value => Read(value, rule => rule.IsOfAddresses));

    private static Parsed<IReadOnlyList<TargetRule>> Read(TomlValue value, Predicate<TargetRule> isWanted)
    {
        if (value is not TomlArray { IsOfTables: false } array)
            return Parsed<IReadOnlyList<TargetRule>>.Mismatch(value);
        if (array.Items.Count > MaxItems)
            return Parsed<IReadOnlyList<TargetRule>>.Bad($"this list has {array.Items.Count} strings");

        var rules = new List<TargetRule>(array.Items.Count);
        foreach (TomlValue item in array.Items)
        {
            if (item is not TomlString text)
                return Parsed<IReadOnlyList<TargetRule>>.Mismatch(item);
            if (ReadRule(text.Value) is not { } rule || !isWanted(rule))
                return Parsed<IReadOnlyList<TargetRule>>.Bad($"{BasicTypes.Quote(text.Value)} is not that", text.Position);
            rules.Add(rule);
        }

        return Parsed<IReadOnlyList<TargetRule>>.Good(rules);
    }

    private static TargetRule? ReadRule(string text)
    {
        if (SplitPorts(text) is not var (host, isBracketed, ports) || ReadPorts(ports) is not var (first, last))
            return null;
        if (isBracketed || host.Contains(':'))
            return ReadNetwork(host, AddressFamily.InterNetworkV6) is { } six ? TargetRule.OfNetwork(six, first, last) : null;
        if (ReadNetwork(host, AddressFamily.InterNetwork) is { } four)
            return TargetRule.OfNetwork(four, first, last);
        bool isName = host == "*" || AddressTypes.IsName(host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host);
        return isName ? TargetRule.OfName(host, first, last) : null;
    }

    /// <summary>An IPv6 network needs brackets only in front of ports. No ports are null.</summary>
    private static (string Host, bool IsBracketed, string? Ports)? SplitPorts(string text)
    {
        if (text.StartsWith('['))
        {
            int end = text.IndexOf(']');
            if (end < 0 || (end != text.Length - 1 && text[end + 1] != ':'))
                return null;
            return (text[1..end], true, end == text.Length - 1 ? null : text[(end + 2)..]);
        }

        int colon = text.IndexOf(':');
        bool hasPorts = colon >= 0 && colon == text.LastIndexOf(':');
        return hasPorts ? (text[..colon], false, text[(colon + 1)..]) : (text, false, null);
    }

    private static (int First, int Last)? ReadPorts(string? text)
    {
        if (text is null)
            return (AllPortsFrom, ushort.MaxValue);
        string[] ends = text.Split('-');
        bool isRange = ends.Length is 1 or 2;
        if (!isRange || ReadPort(ends[0]) is not { } first || ReadPort(ends[^1]) is not { } last || first > last)
            return null;
        return (first, last);
    }

    private static int? ReadPort(string text) =>
        AddressTypes.TryReadNumber(text, 5, out int port) && port is >= 1 and <= ushort.MaxValue ? port : null;

    /// <summary>Null also for a network with bits beyond its prefix: one of the two is a mistake.</summary>
    private static IPNetwork? ReadNetwork(string text, AddressFamily family)
    {
        string[] parts = text.Split('/');
        IPAddress? address = family == AddressFamily.InterNetwork ? AddressTypes.ReadIPv4(parts[0]) : AddressTypes.ReadIPv6(parts[0]);
        if (address is null || parts.Length > 2)
            return null;
        int bits = family == AddressFamily.InterNetwork ? 32 : 128;
        int prefix = bits;
        if (parts.Length == 2 && (!AddressTypes.TryReadNumber(parts[1], 3, out prefix) || prefix > bits))
            return null;
        return HasBitsBeyond(address, prefix) ? null : Plain(address, prefix);
    }

    private static bool HasBitsBeyond(IPAddress address, int prefix)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int bit = prefix; bit < bytes.Length * 8; bit++)
        {
            if ((bytes[bit / 8] & 0x80 >> bit % 8) != 0)
                return true;
        }

        return false;
    }

    /// <summary>IPv4-mapped networks become IPv4, as the addresses that they are compared with do.</summary>
    private static IPNetwork Plain(IPAddress address, int prefix) =>
        address.IsIPv4MappedToIPv6 && prefix >= 96 ? new IPNetwork(address.MapToIPv4(), prefix - 96) : new IPNetwork(address, prefix);
}
