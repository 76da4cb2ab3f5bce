using System.Diagnostics;
using System.Globalization;
using Tunnel.Bench.Contenders;
using Tunnel.Ctl.Lab;

namespace Tunnel.Tests.Races;

public class RunningContenderTests
{
    /// <summary>A child that stays works for it; one that comes and goes does not, and could not be measured.</summary>
    [Fact(Timeout = 60_000)]
    public async Task ChildrenThatStayAreItsProcesses()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        LabProcess parent = LabProcess.Start(null, "sh", "-c", "sleep 60 & echo child $!; sleep 0.2; echo ready; while :; do sleep 0.1; done");
        await using var running = new RunningContender("", parent);
        await parent.WaitForAsync("ready", cancel);
        int child = int.Parse(parent.Output.Split("child ")[1].Split('\n')[0], CultureInfo.InvariantCulture);
        try
        {
            Assert.Equal([parent.Id, child], await running.ReadProcessIdsAsync(cancel));
        }
        finally
        {
            Process.GetProcessById(child).Kill();
        }
    }
}
