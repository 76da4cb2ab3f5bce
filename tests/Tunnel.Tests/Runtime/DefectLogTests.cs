using Tunnel.App.Runtime;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Runtime;

public class DefectLogTests
{
    [Fact]
    public void EachIsCountedAndTheFirstAreTold()
    {
        var lines = new LogLines();
        var log = new DefectLog();
        log.Met(new InvalidOperationException(), "a stream");
        log.TellTo(lines);
        for (int i = 0; i < RateLimitedLog.DefaultBurst + 5; i++)
            log.Met(new InvalidOperationException(), "a connection");
        Assert.Equal(RateLimitedLog.DefaultBurst + 6, log.Count);
        Assert.Equal(Enumerable.Repeat("a defect of this program ended a connection, and nothing else; please report this", RateLimitedLog.DefaultBurst), lines.All);
    }
}
