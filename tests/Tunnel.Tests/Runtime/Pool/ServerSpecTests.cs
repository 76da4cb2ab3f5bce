using Tunnel.App.Config;
using Tunnel.App.Runtime.Pool;
using Tunnel.App.Runtime.Resolving;

namespace Tunnel.Tests.Runtime.Pool;

/// <summary>From entries and SRV records to servers.</summary>
public class ServerSpecTests
{
    private static readonly RemoteServerConfig Entry = new(null, "_tunnel._udp.example.net", Weight: 6, Priority: 1, Ports: 2);

    [Fact]
    public void RecordsShareTheEntrysWeight()
    {
        ServerSpec[] servers = [.. ServerSpec.Of(Entry, [new("a.example.net", 1000, 5, 10), new("b.example.net", 2000, 5, 20)])];
        Assert.Equal([2, 4], servers.Select(s => s.Weight));
        Assert.Equal([new HostPort("a.example.net", 1000), new HostPort("b.example.net", 2000)], servers.Select(s => s.Address));
        Assert.All(servers, s => Assert.Equal(2, s.Ports));
    }

    [Fact]
    public void RecordsWithoutWeightAreEqualAmongThemselvesAndSmallBesideOthers()
    {
        Assert.Equal([3, 3], ServerSpec.Of(Entry, [new("a", 1, 0, 0), new("b", 1, 0, 0)]).Select(s => s.Weight));
        double[] weights = [.. ServerSpec.Of(Entry, [new("a", 1, 0, 0), new("b", 1, 0, 10)]).Select(s => s.Weight)];
        Assert.InRange(weights[0], 0.01, 0.1);
    }

    [Fact]
    public void PrioritiesOfRecordsOrderWithinTheEntrysPriority()
    {
        long[] records = [.. ServerSpec.Of(Entry, [new("a", 1, 0, 1), new("b", 1, 65535, 1)]).Select(s => s.Priority)];
        long better = ServerSpec.Of(Static(priority: 0)).Priority, worse = ServerSpec.Of(Static(priority: 2)).Priority;
        Assert.Equal([better, records[0], records[1], worse], new[] { worse, records[1], better, records[0] }.Order());
    }

    [Fact]
    public void PortsBeyondTheLastAreLeftOut() =>
        Assert.Equal(1, Assert.Single(ServerSpec.Of(Entry, [new("a", 65535, 0, 1)])).Ports);

    [Fact]
    public void AServerIsTheSameWhateverItsWeight()
    {
        Assert.Equal(ServerSpec.Of(Static(0)).Key, ServerSpec.Of(Static(7) with { Weight = 9 }).Key);
        Assert.NotEqual(ServerSpec.Of(Static(0)).Key, ServerSpec.Of(Static(0) with { Ports = 9 }).Key);
    }

    private static RemoteServerConfig Static(int priority) => new(new HostPort("a", 1), null, 1, priority, 1);
}
