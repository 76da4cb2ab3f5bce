namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>Which stacks are those of threads that wait rather than run in native code: by the names of their innermost frames.</summary>
internal static class WaitingFrames
{
    /// <summary>A wait is seldom called by name alone: stubs and wrappers of the runtime stand inside of it.</summary>
    private const int Depth = 4;

    private static readonly string[] Names =
    [
        "System.Threading.WaitHandle.Wait", "System.Threading.Monitor.Wait", "System.Threading.Monitor.ObjWait",
        "System.Threading.Monitor.Enter", "System.Threading.Thread.Sleep", "System.Threading.Thread.UninterruptibleSleep",
        "System.Threading.Thread.Join", "System.Threading.LowLevelLifoSemaphore.Wait", "System.Threading.LowLevelMonitor.Wait",
        "System.Threading.Lock.", "System.Threading.ManualResetEventSlim.Wait", "System.Threading.SemaphoreSlim.Wait",
        "Tunnel.Links.Native.WakeEvent.Wait", "Interop+Sys.WaitForSocketEvents", "Interop+Sys.Poll", "Interop+Sys.ReadSignal", "Tunnel.Links.Native.Libc.Poll",
        "Tunnel.Links.Native.Libc.<Poll>",
    ];

    /// <param name="frames">The innermost first.</param>
    public static bool Waits(IEnumerable<string> frames) =>
        frames.Take(Depth).Any(frame => Array.Exists(Names, wait => frame.StartsWith(wait, StringComparison.Ordinal)));
}
