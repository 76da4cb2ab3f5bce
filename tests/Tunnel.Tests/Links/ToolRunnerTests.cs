using Tunnel.Links.Host.Filtering;

namespace Tunnel.Tests.Links;

public class ToolRunnerTests
{
    /// <summary>Firewall rules are looked after every few seconds, for months.</summary>
    [Fact]
    public void NoPipeIsLeftOpen()
    {
        const int runs = 100;
        int before = OpenPipes();
        for (int i = 0; i < runs; i++)
            Assert.True(ToolRunner.Run("true", []).Succeeded);
        // Two a run, if they were; other tests have some of their own meanwhile.
        Assert.InRange(OpenPipes() - before, int.MinValue, runs);
    }

    private static int OpenPipes() => Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(IsPipe);

    /// <summary>False as well for one that has been closed since it was seen.</summary>
    private static bool IsPipe(string descriptor)
    {
        try
        {
            return File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.Name.StartsWith("pipe:", StringComparison.Ordinal) == true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
