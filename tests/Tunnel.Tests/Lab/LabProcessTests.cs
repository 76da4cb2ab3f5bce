using Tunnel.Ctl.Lab;

namespace Tunnel.Tests.Lab;

/// <summary>How demo and tune-loop wait for what they start.</summary>
public class LabProcessTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task WhatSaysItLateHasSaidIt()
    {
        await using LabProcess process = LabProcess.Start(null, "sh", "-c", "sleep 0.3; echo 'it is up'; exec sleep 60");
        await process.WaitForAsync("is up", Cancel);
    }

    /// <summary>The last words of a process that has ended may come after its end is known.</summary>
    [Fact(Timeout = 60_000)]
    public async Task WhatSaysItAndEndsHasSaidIt()
    {
        for (int i = 0; i < 20; i++)
        {
            await using LabProcess process = LabProcess.Start(null, "sh", "-c", "seq 2000; echo 'it is up'");
            await process.WaitForAsync("is up", Cancel);
        }
    }

    /// <summary>However long the limit: nothing is waited for that cannot come, and what it printed says why.</summary>
    [Fact(Timeout = 60_000)]
    public async Task WhatEndsWithoutItIsToldAtOnce()
    {
        await using LabProcess process = LabProcess.Start(null, "sh", "-c", "echo 'the port is taken'; exit 3");
        var e = await Assert.ThrowsAsync<LabException>(() => process.WaitForAsync("is up", TimeSpan.FromHours(1), Cancel));
        Assert.Contains("ended with 3 before it said \"is up\"", e.Message, StringComparison.Ordinal);
        Assert.Contains("the port is taken", e.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task WhatLivesAndDoesNotSayItIsToldAsThat()
    {
        await using LabProcess process = LabProcess.Start(null, "sleep", "60");
        var e = await Assert.ThrowsAsync<LabException>(() => process.WaitForAsync("is up", TimeSpan.FromSeconds(0.1), Cancel));
        Assert.StartsWith("sleep 60 runs, and has not said \"is up\" within 0 s", e.Message, StringComparison.Ordinal);
    }

    /// <summary>A program that waits for another in silence: what it stands at is told, and what the other does.</summary>
    [Fact(Timeout = 60_000)]
    public async Task WhatSaysNothingIsToldWithWhereItsThreadsStand()
    {
        await using LabProcess process = LabProcess.Start(null, "sh", "-c", "sleep 60 & trap \"kill $!\" TERM; wait; echo 'it is up'");
        while (ThreadWaits.Describe(process.Id).Split('\n').Length < 2)
            await Task.Delay(10, Cancel);
        var e = await Assert.ThrowsAsync<LabException>(() => process.WaitForAsync("it is up", TimeSpan.FromSeconds(0.1), Cancel));
        Assert.Matches($@"its threads stand at:\n{process.Id} sh: \S.*\n[0-9]+ sleep: \S", e.Message);
    }
}
