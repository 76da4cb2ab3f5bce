namespace Tunnel.App.Config.Schema;

/// <summary>A table: its keys, and whose file may have it.</summary>
/// <param name="Name">With its parents: transport.kcp.</param>
/// <param name="Side">Whose file has it.</param>
/// <param name="Doc">One sentence for the reference.</param>
/// <param name="IsArray">True if it is written [[name]] and may be repeated.</param>
/// <param name="IsEither">True if it is written [name], or [[name]] where it is repeated.</param>
internal sealed record ConfigTable(string Name, ConfigSide Side, string Doc, bool IsArray = false, bool IsEither = false)
{
    public string Header => IsArray ? $"[[{Name}]]" : $"[{Name}]";
}

/// <summary>Every table and key there is, in the order of the reference.</summary>
internal static class ConfigCatalog
{
    public static readonly IReadOnlyList<ConfigTable> Tables =
    [
        new("listen", ConfigSide.Server, "What the server listens on."),
        new("server", ConfigSide.Client, "Where the client's server is. Several are written [[server]], each with its keys.", IsEither: true),
        new("socks5", ConfigSide.Client, "A SOCKS5 listener. The client needs at least one [[socks5]], [[forward]] or [[reverse]].", IsArray: true),
        new("forward", ConfigSide.Client, "A listener whose connections all go to one target.", IsArray: true),
        new("reverse", ConfigSide.Client, "A listener at the server whose connections all go to one target near the client.", IsArray: true),
        new("listeners", ConfigSide.Both, "What all listeners have in common: how they stand many connections at once. At a server: those of [reverse]."),
        new("udp", ConfigSide.Both, "Flows of applications' datagrams: a sender's to one target, a stream each. (How the tunnel's own datagrams travel is network.link's.)"),
        new("targets", ConfigSide.Server, "What clients may reach through the server: everything, unless this says otherwise."),
        new("reverse", ConfigSide.Server, "Where clients may have this server listen, for their [[reverse]]: nowhere, unless this says otherwise."),
        new("network", ConfigSide.Both, "How datagrams leave and enter this machine."),
        new("network.ipv4", ConfigSide.Both, "What is found by itself, for IPv4."),
        new("network.ipv6", ConfigSide.Both, "What is found by itself, for IPv6."),
        new("network.tcp", ConfigSide.Both, "The look of raw TCP segments."),
        new("network.pcap", ConfigSide.Both, "libpcap's settings."),
        new("network.udp", ConfigSide.Both, "The udp link's settings."),
        new("transport", ConfigSide.Both, "Sessions: how many, in whose dialect, how patient."),
        new("transport.kcp", ConfigSide.Both, "KCP, its encryption, and the multiplexer above it."),
        new("debug", ConfigSide.Both, "Where the process shows itself."),
        new("log", ConfigSide.Both, "What is written to the log."),
    ];

    public static readonly IReadOnlyList<ConfigKey> Keys =
        [.. EndKeys.All, .. ServiceKeys.All, .. UdpKeys.All, .. NetworkKeys.All, .. TransportKeys.All, .. KcpKeys.All, .. DebugKeys.All, .. OtlpKeys.All];

    private static readonly Dictionary<string, ConfigKey> KeysByName = Keys.ToDictionary(key => key.FullName);

    /// <summary>A name may be a table's in one end's file and an array's in the other's.</summary>
    private static readonly ILookup<string, ConfigTable> TablesByName = Tables.ToLookup(table => table.Name);

    public static ConfigKey? FindKey(string fullName) => KeysByName.GetValueOrDefault(fullName);

    /// <summary>The table of one end's file, or else the other's.</summary>
    public static ConfigTable? FindTable(string name, ConfigSide side) =>
        TablesByName[name].OrderByDescending(table => table.Side.HasFlag(side)).FirstOrDefault();

    public static IEnumerable<ConfigKey> KeysOf(string table) => Keys.Where(key => key.Table == table);

    public static IEnumerable<ConfigKey> KeysOf(ConfigTable table) => KeysOf(table.Name).Where(key => table.Side.HasFlag(key.Side));
}
