using System.Net;
using System.Net.Sockets;

namespace Tunnel.App.Config;

/// <summary>
/// What a server's clients may reach. A rule that denies wins over all that allow; without rules that allow, everything is allowed
/// that is not denied. A name is judged as a name, and each of its addresses as an address, so that no name can stand for an address
/// that is denied.
/// </summary>
/// <param name="Allow">Empty: everything.</param>
/// <param name="Deny">Stronger than <paramref name="Allow"/>.</param>
public sealed record TargetPolicy(IReadOnlyList<TargetRule> Allow, IReadOnlyList<TargetRule> Deny)
{
    public static readonly TargetPolicy Everything = new([], []);

    /// <summary>
    /// Before a name is looked up: false if no address could make it allowed, so that nobody's resolver is asked for nothing.
    /// </summary>
    public bool MayPermit(string name, int port) =>
        !Deny.Any(rule => rule.MatchesName(name, port))
        && (Allow.Count == 0 || Allow.Any(rule => rule.MatchesName(name, port) || (rule.IsNetwork && rule.HasPort(port))));

    /// <param name="name">What the client asked for; null if it asked for the address itself.</param>
    /// <param name="address">Where the connection would go.</param>
    /// <param name="port">Its port.</param>
    public bool Permits(string? name, IPAddress address, int port) =>
        !AnyMatches(Deny, name, address, port) && (Allow.Count == 0 || AnyMatches(Allow, name, address, port));

    // Asked for every connection, most of which meet no rule at all: no delegates.
    private static bool AnyMatches(IReadOnlyList<TargetRule> rules, string? name, IPAddress address, int port)
    {
        for (int i = 0; i < rules.Count; i++)
        {
            if (Matches(rules[i], name, address, port))
                return true;
        }

        return false;
    }

    private static bool Matches(TargetRule rule, string? name, IPAddress address, int port) =>
        rule.MatchesAddress(address, port) || rule.MatchesAddress(Reached(address), port) || (name is not null && rule.MatchesName(name, port));

    /// <summary>Linux connects whoever asks for the unspecified address (0.0.0.0, ::) to its own loopback.</summary>
    private static IPAddress Reached(IPAddress address)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.Equals(IPAddress.Any) ? IPAddress.Loopback : plain.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : plain;
    }

    public override string ToString() => $"allow [{string.Join(", ", Allow)}], deny [{string.Join(", ", Deny)}]";
}

/// <summary>One entry of a <see cref="TargetPolicy"/>: hosts, and the ports of theirs that are meant.</summary>
public sealed record TargetRule
{
    private readonly string? _name;
    private readonly IPNetwork _network;
    private readonly int _firstPort;
    private readonly int _lastPort;

    private TargetRule(string? name, IPNetwork network, int firstPort, int lastPort)
    {
        _name = name;
        _network = network;
        _firstPort = firstPort;
        _lastPort = lastPort;
    }

    /// <summary>Whether it is about addresses rather than names.</summary>
    public bool IsNetwork => _name is null;

    /// <summary>Whether an address can match it.</summary>
    public bool IsOfAddresses => IsNetwork || IsEverything;

    private bool IsEverything => _name == "*";

    /// <param name="network">IPv4 where it can be: an IPv4-mapped one matches nothing.</param>
    /// <param name="firstPort">The first port that is meant.</param>
    /// <param name="lastPort">The last.</param>
    public static TargetRule OfNetwork(IPNetwork network, int firstPort, int lastPort) => new(null, network, firstPort, lastPort);

    /// <param name="name">A name; <c>*.name</c> for all names below it; <c>*</c> for every name and address.</param>
    /// <param name="firstPort">The first port that is meant.</param>
    /// <param name="lastPort">The last.</param>
    public static TargetRule OfName(string name, int firstPort, int lastPort) => new(Canonical(name), default, firstPort, lastPort);

    public bool HasPort(int port) => port >= _firstPort && port <= _lastPort;

    public bool MatchesName(string name, int port)
    {
        if (_name is null || !HasPort(port))
            return false;
        string asked = Canonical(name);
        // The dot of "*.example.com" is compared too: neither example.com nor notexample.com is below it.
        return IsEverything || (_name[0] == '*' ? asked.EndsWith(_name[1..], StringComparison.OrdinalIgnoreCase) : IsSame(asked, _name));
    }

    public bool MatchesAddress(IPAddress address, int port)
    {
        if (!HasPort(port) || !IsOfAddresses)
            return false;
        return IsEverything || _network.Contains(Plain(address));
    }

    public override string ToString()
    {
        string host = _name ?? _network.ToString();
        if (_firstPort == 1 && _lastPort == ushort.MaxValue)
            return host;
        string bracketed = IsNetwork && _network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{host}]" : host;
        return _firstPort == _lastPort ? $"{bracketed}:{_firstPort}" : $"{bracketed}:{_firstPort}-{_lastPort}";
    }

    /// <summary>An IPv4-mapped address is reached as IPv4, and a zone says only through which interface.</summary>
    private static IPAddress Plain(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        bool hasZone = address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 };
        return hasZone ? new IPAddress(address.GetAddressBytes()) : address;
    }

    private static bool IsSame(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);

    /// <summary>A dot at the end only says that the name is complete.</summary>
    private static string Canonical(string name) => name.TrimEnd('.');
}
