using Tunnel.App.Diagnostics.Profiles;

namespace Tunnel.Tests.Diagnostics.Profiles;

public class StoppingFramesTests
{
    private const string Worker = "System.Threading.Thread.<PollGC>g__PollGCWorker|67_0", Poll = "System.Threading.Thread.PollGC";

    [Theory]
    [InlineData(new[] { Worker, Poll, "A.Work", "A.Main" }, new[] { "A.Work", "A.Main" })]
    [InlineData(new[] { Worker, "A.Work" }, new[] { "A.Work" })]
    [InlineData(new[] { "A.Work", Poll, "A.Main" }, new[] { "A.Work", Poll, "A.Main" })]
    [InlineData(new[] { Poll }, new[] { Poll })]
    [InlineData(new string[0], new string[0])]
    public void OnlyTheInnermostGo(string[] stack, string[] left) => Assert.Equal(left, StoppingFrames.Without([.. stack]));
}
