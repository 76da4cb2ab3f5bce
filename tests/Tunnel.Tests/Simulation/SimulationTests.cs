using Tunnel.Tests.Support;

namespace Tunnel.Tests.Simulation;

public class SimulationTests
{
    private const int Seeds = 300;

    /// <summary>
    /// Safety while the wires misbehave: every byte once, in order, nothing after a close. Liveness once they behave: everything
    /// finishes within a bounded virtual time.
    /// </summary>
    [Fact]
    public void EveryByteArrivesOnceInOrder() => TestSeed.Run(Seeds, seed =>
    {
        using var world = new World(Scenario.Draw(seed));
        world.Run();
    });
}
