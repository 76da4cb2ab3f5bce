using System.Diagnostics;

namespace Tunnel.EndToEnd.Harness;

/// <summary>
/// Two network namespaces with a cable between them, as two hosts would be. Their names hold this process's id, by which what a dead
/// run left is known and removed.
/// </summary>
internal sealed class Namespaces : IAsyncDisposable
{
    public const string ClientIPv4 = "10.77.0.1";
    public const string ServerIPv4 = "10.77.0.2";
    public const string ClientIPv6 = "fd77::1";
    public const string ServerIPv6 = "fd77::2";

    /// <summary>A name that only the server's hosts file knows.</summary>
    public const string TargetName = "target.test";

    public const string Interface = "eth0";

    private const string Prefix = "te-";

    private static int _count;

    private readonly string _name = $"{Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref _count)}";

    public string Client => _name + "c";

    public string Server => _name + "s";

    public static async Task<Namespaces> CreateAsync(bool addresses = true)
    {
        await RemoveStaleAsync();
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

    public async Task AddAddressesAsync(string host)
    {
        bool client = host == Client;
        await IpAsync("-n", host, "address", "add", (client ? ClientIPv4 : ServerIPv4) + "/24", "dev", Interface);
        await IpAsync("-n", host, "address", "add", (client ? ClientIPv6 : ServerIPv6) + "/64", "dev", Interface, "nodad");
    }

    public async ValueTask DisposeAsync()
    {
        await RemoveAsync(Client);
        await RemoveAsync(Server);
    }

    private async Task BuildAsync(bool addresses)
    {
        WriteHosts(Server);
        foreach (string host in new[] { Client, Server })
        {
            await IpAsync("netns", "add", host);
            await IpAsync("-n", host, "link", "set", "lo", "up");
        }

        await IpAsync("link", "add", Interface, "netns", Client, "type", "veth", "peer", "name", Interface, "netns", Server);
        foreach (string host in new[] { Client, Server })
        {
            await IpAsync("-n", host, "link", "set", Interface, "up");
            if (addresses)
                await AddAddressesAsync(host);
        }
    }

    private static async Task IpAsync(params string[] arguments) => (await Tool.RunAsync("ip", arguments)).Expect();

    // ip netns exec puts the files of this folder in the place of /etc's.
    private static string EtcOf(string host) => $"/etc/netns/{host}";

    private static void WriteHosts(string host)
    {
        Directory.CreateDirectory(EtcOf(host));
        File.WriteAllText($"{EtcOf(host)}/hosts", $"127.0.0.1 localhost {TargetName}\n");
    }

    private static async Task RemoveAsync(string host)
    {
        await Tool.RunAsync("ip", "netns", "delete", host);
        if (Directory.Exists(EtcOf(host)))
            Directory.Delete(EtcOf(host), recursive: true);
    }

    private static async Task RemoveStaleAsync()
    {
        string list = (await Tool.RunAsync("ip", "netns", "list")).Output;
        foreach (string host in list.Split('\n').Select(l => l.Split(' ')[0]).Where(IsStale))
        {
            foreach (string id in (await Tool.RunAsync("ip", "netns", "pids", host)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                KillStale(int.Parse(id));
            await RemoveAsync(host);
        }
    }

    private static bool IsStale(string host)
    {
        if (!host.StartsWith(Prefix, StringComparison.Ordinal) || !int.TryParse(host.Split('-')[1], out int owner))
            return false;
        string commandLine = $"/proc/{owner}/cmdline";
        return !File.Exists(commandLine) || !File.ReadAllText(commandLine).Contains("Tunnel.EndToEnd", StringComparison.Ordinal);
    }

    private static void KillStale(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            process.Kill();
            process.WaitForExit();
        }
        catch (ArgumentException)
        {
            // It ended meanwhile.
        }
    }
}
