namespace Tunnel.EndToEnd.Harness;

/// <summary>Two network namespaces with a cable between them, as two hosts would be.</summary>
internal sealed class Namespaces : IAsyncDisposable
{
    public const string ClientIPv4 = "10.77.0.1";
    public const string ServerIPv4 = "10.77.0.2";
    public const string ClientIPv6 = "fd77::1";
    public const string ServerIPv6 = "fd77::2";

    /// <summary>A name that only the server's hosts file knows.</summary>
    public const string TargetName = "target.test";

    public const string Interface = "eth0";

    private static int _count;

    private readonly string _name = $"{Leftovers.Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref _count)}";

    public string Client => _name + "c";

    public string Server => _name + "s";

    public static async Task<Namespaces> CreateAsync(bool addresses = true)
    {
        var made = new Namespaces();
        try
        {
            await made.BuildAsync(addresses);
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    public Task AddAddressesAsync(string host) => Ip.RunAsync(AddressesOf(host));

    public async ValueTask DisposeAsync()
    {
        await RemoveAsync(Client);
        await RemoveAsync(Server);
    }

    private async Task BuildAsync(bool addresses)
    {
        WriteHosts(Server);
        string[] hosts = [Client, Server];
        await Ip.RunAsync(
        [
            .. hosts.Select(host => $"netns add {host}"),
            $"link add {Interface} netns {Client} type veth peer name {Interface} netns {Server}",
            .. hosts.SelectMany(host => (string[])[$"-n {host} link set lo up", $"-n {host} link set {Interface} up"]),
            .. addresses ? hosts.SelectMany(AddressesOf) : [],
        ]);
    }

    private string[] AddressesOf(string host)
    {
        (string ipv4, string ipv6) = host == Client ? (ClientIPv4, ClientIPv6) : (ServerIPv4, ServerIPv6);
        return [$"-n {host} address add {ipv4}/24 dev {Interface}", $"-n {host} address add {ipv6}/64 dev {Interface} nodad"];
    }

    // ip netns exec puts the files of this folder in the place of /etc's.
    private static string EtcOf(string host) => $"/etc/netns/{host}";

    private static void WriteHosts(string host)
    {
        Directory.CreateDirectory(EtcOf(host));
        File.WriteAllText($"{EtcOf(host)}/hosts", $"127.0.0.1 localhost {TargetName}\n");
    }

    internal static async Task RemoveAsync(string host)
    {
        await Tool.RunAsync("ip", "netns", "delete", host);
        if (Directory.Exists(EtcOf(host)))
            Directory.Delete(EtcOf(host), recursive: true);
    }
}
