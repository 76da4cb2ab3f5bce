using System.Text.Json;
using Tunnel.App.Diagnostics.Status;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Pool;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Tests.Runtime.Pool;

namespace Tunnel.Tests.Diagnostics;

/// <summary>/status can be written whatever state an end is in.</summary>
public class StatusReportTests
{
    [Fact(Timeout = 120_000)]
    public async Task AFullConnectionHasNoCost()
    {
        await using var world = new PoolWorld(1, 1, PoolWorld.Server(1));
        await world.UntilAsync(1, ConnectionState.Up);
        await PoolWorld.Eventually(() => world.Pool.GetStatus().All(s => s.Streams == 0));
        Assert.Equal(JsonValueKind.Number, CostIn(world).ValueKind);
        TunnelStream only = await world.Pool.OpenStreamAsync(CancellationToken.None);
        await PoolWorld.Eventually(() => double.IsPositiveInfinity(only.Session.Health!.Cost));
        Assert.Equal(JsonValueKind.Null, CostIn(world).ValueKind);
    }

    private static JsonElement CostIn(PoolWorld world)
    {
        using var sampler = new StatusSampler(new BareEnd(new TrafficLedger(), null) { Connections = world.Pool.GetStatus }, "1");
        string text = JsonSerializer.Serialize(sampler.Report(), StatusJson.Default.StatusReport);
        return JsonDocument.Parse(text).RootElement.GetProperty("connections")[0].GetProperty("cost_milliseconds");
    }
}
