namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>
/// The innermost frames of a thread that stands there only because the sampler stops it: code asks at a call's return whether it is to stop,
/// and seems to spend its time with the question. What it was doing is the caller's.
/// </summary>
internal static class StoppingFrames
{
    private static readonly string[] Names = ["System.Threading.Thread.PollGC", "System.Threading.Thread.<PollGC>"];

    /// <param name="frames">The innermost first.</param>
    /// <returns>The same without them; all of them where there is nothing else.</returns>
    public static List<string> Without(List<string> frames)
    {
        int first = frames.FindIndex(frame => !Array.Exists(Names, name => frame.StartsWith(name, StringComparison.Ordinal)));
        return first <= 0 ? frames : frames[first..];
    }
}
