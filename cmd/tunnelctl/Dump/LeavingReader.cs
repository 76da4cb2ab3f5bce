using Microsoft.Win32.SafeHandles;

namespace Tunnel.Ctl.Dump;

/// <summary>
/// Standard output whose reader may leave, as head does: the runtime's own says nothing of that (it ignores SIGPIPE, and takes EPIPE for success), and
/// a capture would go on for nobody.
/// </summary>
internal static class LeavingReader
{
    private const int BrokenPipe = 32;

    /// <summary>A pipe's writer, which throws what <see cref="IsGone"/> knows; for anything else the console's.</summary>
    public static TextWriter Open()
    {
        if (!Console.IsOutputRedirected)
            return Console.Out;
        var stream = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        // A file's position would be this stream's own, and whatever else writes there would write over it.
        return stream.CanSeek ? Console.Out : new StreamWriter(stream) { AutoFlush = true };
    }

    public static bool IsGone(IOException problem) => problem.HResult == BrokenPipe;
}
