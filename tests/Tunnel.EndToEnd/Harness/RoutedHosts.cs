namespace Tunnel.EndToEnd.Harness;

/// <summary>
/// A client's host behind a router that reaches the server's host by two ways. The server has one address of its own, whichever way a
/// packet comes: eth0 is the first way, eth1 the second.
/// </summary>
internal sealed class RoutedHosts(Namespaces ends) : IAsyncDisposable
{
    public const string ServerAddress = "10.77.9.9";
    public const string FirstWay = "eth0";
    public const string SecondWay = "eth1";

    private const string ClientAddress = "10.77.0.1";

    /// <summary>The namespaces' own cable, which a client uses, goes to the router here.</summary>
    public string Client => ends.Client + "r";

    public string Server => ends.Server;

    private string Router => ends.Client;

    public static async Task<RoutedHosts> CreateAsync(EndToEndTest test)
    {
        RoutedHosts made = test.Own(new RoutedHosts(await test.CreateNamespacesAsync(addresses: false)));
        await made.BuildAsync();
        return made;
    }

    /// <summary>Both hosts talk to each other by this way from now on; the other one stays up.</summary>
    public async Task UseAsync(string way)
    {
        int net = way == FirstWay ? 1 : 2;
        await IpAsync("-n", Router, "route", "replace", $"{ServerAddress}/32", "via", $"10.77.{net}.2", "dev", way);
        await IpAsync("-n", Server, "route", "replace", "default", "via", $"10.77.{net}.254", "dev", way);
    }

    /// <summary>Bytes that the server's host has sent by a way.</summary>
    public async Task<long> SentAsync(string way) =>
        long.Parse((await Tool.RunInAsync(Server, "cat", $"/sys/class/net/{way}/statistics/tx_bytes")).Expect());

    public async ValueTask DisposeAsync() => await Namespaces.RemoveAsync(Client);

    private async Task BuildAsync()
    {
        await IpAsync("netns", "add", Client);
        await IpAsync("-n", Client, "link", "set", "lo", "up");
        await IpAsync("link", "add", SecondWay, "netns", Router, "type", "veth", "peer", "name", SecondWay, "netns", Server);
        await IpAsync("link", "add", "clients", "netns", Router, "type", "veth", "peer", "name", Namespaces.Interface, "netns", Client);
        foreach ((string way, int net) in new[] { (FirstWay, 1), (SecondWay, 2) })
        {
            await AddressAsync(Router, way, $"10.77.{net}.254/24");
            await AddressAsync(Server, way, $"10.77.{net}.2/24");
            await AddressAsync(Server, way, $"{ServerAddress}/32");
        }

        await AddressAsync(Router, "clients", "10.77.0.254/24");
        await AddressAsync(Client, Namespaces.Interface, $"{ClientAddress}/24");
        await IpAsync("-n", Client, "route", "add", "default", "via", "10.77.0.254");
        (await Tool.RunInAsync(Router, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0")).Expect();
        await UseAsync(FirstWay);
    }

    private static async Task AddressAsync(string host, string device, string address)
    {
        await IpAsync("-n", host, "address", "add", address, "dev", device);
        await IpAsync("-n", host, "link", "set", device, "up");
    }

    private static async Task IpAsync(params string[] arguments) => (await Tool.RunAsync("ip", arguments)).Expect();
}
