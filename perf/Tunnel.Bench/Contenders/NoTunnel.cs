namespace Tunnel.Bench.Contenders;

/// <summary>Straight over the cable: what the machine can do at most.</summary>
internal sealed class NoTunnel() : Contender("no tunnel")
{
    public override ContenderKind Kind => ContenderKind.None;

    public override Task<RunningContender> StartAsync(ContenderSetup setup, CancellationToken cancel) =>
        Task.FromResult(new RunningContender($"{setup.Network.ServerAddress}:{setup.Port}"));
}
