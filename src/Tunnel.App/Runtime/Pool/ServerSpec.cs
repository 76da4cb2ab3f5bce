using Tunnel.App.Config;
using Tunnel.App.Runtime.Resolving;

namespace Tunnel.App.Runtime.Pool;

/// <summary>A server to connect to, from the file or from an SRV record.</summary>
/// <param name="Name">What it is called in logs and diagnostics.</param>
/// <param name="Address">Its name or address, and its first port.</param>
/// <param name="Ports">How many consecutive ports it has.</param>
/// <param name="Priority">Lower is preferred.</param>
/// <param name="Weight">Its share among servers of the same priority; positive.</param>
public sealed record ServerSpec(string Name, HostPort Address, int Ports, long Priority, double Weight)
{
    /// <summary>Above every priority of SRV records, which order records within one entry of the file only.</summary>
    private const long EntryPriority = 1 << 16;

    /// <summary>The share of a record whose weight is 0, next to others that have one: small, and something.</summary>
    private const double LeastWeight = 0.1;

    /// <summary>What makes it the same server, whatever its priority and weight are now.</summary>
    public string Key => $"{Address.ToString().ToUpperInvariant()}+{Ports}";

    public static ServerSpec Of(RemoteServerConfig entry) =>
        new(entry.Name, entry.Address!, entry.Ports, entry.Priority * EntryPriority, entry.Weight);

    /// <summary>The servers of an entry's SRV records: the entry's weight is divided among those of the same priority.</summary>
    public static IEnumerable<ServerSpec> Of(RemoteServerConfig entry, IReadOnlyList<SrvRecord> records)
    {
        foreach (IGrouping<int, SrvRecord> equals in records.GroupBy(r => r.Priority))
        {
            double sum = equals.Sum(WeightOf);
            foreach (SrvRecord record in equals)
            {
                var address = new HostPort(record.Target, record.Port);
                int ports = Math.Min(entry.Ports, ushort.MaxValue - record.Port + 1);
                long priority = entry.Priority * EntryPriority + record.Priority;
                yield return new ServerSpec($"{address} ({entry.Srv})", address, ports, priority, entry.Weight * (WeightOf(record) / sum));
            }
        }
    }

    private static double WeightOf(SrvRecord record) => Math.Max(record.Weight, LeastWeight);
}
