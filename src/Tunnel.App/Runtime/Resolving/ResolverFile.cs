using System.Net;

namespace Tunnel.App.Runtime.Resolving;

/// <summary>The name servers that resolv.conf names.</summary>
public static class ResolverFile
{
    private const string Path = "/etc/resolv.conf";
    private const int DnsPort = 53;

    /// <summary>As many as the C library asks.</summary>
    private const int MaximumServers = 3;

    /// <summary>This host's; its own loopback where the file names none, as the C library has it. Read anew each time.</summary>
    public static IReadOnlyList<IPEndPoint> Read()
    {
        try
        {
            return Parse(File.ReadAllText(Path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Parse("");
        }
    }

    public static IReadOnlyList<IPEndPoint> Parse(string text)
    {
        var servers = new List<IPEndPoint>();
        foreach (string line in text.Split('\n'))
        {
            string[] words = line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words is ["nameserver", var server, ..] && servers.Count < MaximumServers && IPAddress.TryParse(server, out IPAddress? address))
                servers.Add(new IPEndPoint(address, DnsPort));
        }

        return servers.Count != 0 ? servers : [new IPEndPoint(IPAddress.Loopback, DnsPort)];
    }
}
