namespace Tunnel.EndToEnd.Harness;

/// <summary>A client's host and a server's with a router between them, each in a network namespace of its own.</summary>
internal sealed class RoutedHosts : IAsyncDisposable
{
    public const string ServerIPv4 = "10.78.2.2";
    public const string ServerIPv6 = "fd78:2::2";

    /// <summary>The router's interfaces, named after the side that they lead to.</summary>
    public const string ToClient = "toclient";
    public const string ToServer = "toserver";

    private static int _count;

    private readonly string _name = $"{Leftovers.Prefix}{Environment.ProcessId}-r{Interlocked.Increment(ref _count)}";

    public string Client => _name + "c";

    public string Router => _name + "r";

    public string Server => _name + "s";

    public static async Task<RoutedHosts> CreateAsync()
    {
        var made = new RoutedHosts();
        try
        {
            await made.BuildAsync();
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string host in new[] { Client, Router, Server })
            await Tool.RunAsync("ip", "netns", "delete", host);
    }

    /// <summary>What the path carries: the MTU of both of the router's interfaces, and a word about it to nobody.</summary>
    public async Task NarrowAsync(int mtu)
    {
        string[] sides = [ToClient, ToServer];
        await Ip.RunAsync(sides.Select(side => $"-n {Router} link set {side} mtu {mtu}"));
    }

    /// <summary>The router's rules, as nft reads them.</summary>
    public async Task FilterAsync(string rules)
    {
        Requires.Tool("nft");
        (await Tool.RunInAsync(Router, "nft", rules)).Expect();
    }

    /// <summary>A router that does not say when a packet is too long, as many do not.</summary>
    public Task BeSilentAsync() => FilterAsync(
        "table inet silent { chain output { type filter hook output priority 0; "
        + "icmp type destination-unreachable drop; icmpv6 type packet-too-big drop; }; }");

    public static async Task SetAsync(string host, string key, string value) =>
        (await Tool.RunInAsync(host, "sysctl", "-q", "-w", $"{key}={value}")).Expect();

    private async Task BuildAsync()
    {
        string[] hosts = [Client, Router, Server];
        await Ip.RunAsync(
        [
            .. hosts.SelectMany(host => (string[])[$"netns add {host}", $"-n {host} link set lo up"]),
            .. CableTo(Client, ToClient, "10.78.1", "fd78:1"),
            .. CableTo(Server, ToServer, "10.78.2", "fd78:2"),
        ]);
        await SetAsync(Router, "net.ipv4.ip_forward", "1");
        await SetAsync(Router, "net.ipv6.conf.all.forwarding", "1");
    }

    private string[] CableTo(string host, string side, string ipv4, string ipv6) =>
    [
        $"link add {Namespaces.Interface} netns {host} type veth peer name {side} netns {Router}",
        $"-n {host} link set {Namespaces.Interface} up",
        $"-n {Router} link set {side} up",
        $"-n {host} address add {ipv4}.2/24 dev {Namespaces.Interface}",
        $"-n {Router} address add {ipv4}.1/24 dev {side}",
        $"-n {host} address add {ipv6}::2/64 dev {Namespaces.Interface} nodad",
        $"-n {Router} address add {ipv6}::1/64 dev {side} nodad",
        $"-n {host} route add default via {ipv4}.1",
        $"-n {host} -6 route add default via {ipv6}::1",
    ];
}
