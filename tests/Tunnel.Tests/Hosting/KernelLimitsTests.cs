using Tunnel.App.Hosting;

namespace Tunnel.Tests.Hosting;

public class KernelLimitsTests
{
    [Theory]
    [InlineData(0ul, 100, 100)]
    [InlineData(1_000_000ul, 100, 100)]
    [InlineData(356ul, 1000, 100)]
    [InlineData(100ul, 1000, 1)]
    [InlineData(ulong.MaxValue, 1000, 1000)]
    public void NoMoreConnectionsAreTakenThanThereAreDescriptorsFor(ulong limit, int wanted, int taken) =>
        Assert.Equal(taken, KernelLimits.Affordable(limit, wanted));

    [Theory]
    [InlineData(0ul, 16384)]
    [InlineData(16640ul, 16384)]
    [InlineData(ulong.MaxValue, 1 << 20)]
    public void EnoughDescriptors(ulong limit, int connections) => Assert.Null(KernelLimits.DescriptorProblem(limit, connections, "k"));

    [Theory]
    [InlineData(16639ul, "may open 16639 files, but a.b = 16384 needs 16640", "lower a.b to 16383")]
    [InlineData(10ul, "may open 10 files", "lower a.b to 1")]
    public void TooFewDescriptors(ulong limit, string what, string fix)
    {
        string problem = KernelLimits.DescriptorProblem(limit, 16384, "a.b")!;
        Assert.Contains(what, problem);
        Assert.Contains("LimitNOFILE=16640", problem);
        Assert.EndsWith(fix, problem);
    }

    [Theory]
    [InlineData(null, 128, null)]
    [InlineData(128, 128, null)]
    [InlineData(129, null, null)]
    [InlineData(129, 128, "listeners.backlog = 129 is cut to 128 by the kernel: sysctl -w net.core.somaxconn=129")]
    public void Backlogs(int? backlog, int? somaxconn, string? problem) =>
        Assert.Equal(problem, KernelLimits.BacklogProblem(backlog, somaxconn));
}
