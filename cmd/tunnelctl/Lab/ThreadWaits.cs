namespace Tunnel.Ctl.Lab;

/// <summary>Where the threads of a process and of its children stand, for who asks why it says nothing: in which call of the kernel, or running.</summary>
internal static class ThreadWaits
{
    /// <summary>The innermost frames alone: those above are the same for all calls.</summary>
    private const int Frames = 3;

    /// <summary>A line a thread; what the kernel does not tell (it shows stacks to root alone) is left out.</summary>
    public static string Describe(int processId) => string.Join('\n', ProcessTree.Read(processId).SelectMany(
        id => ProcessTree.ListThreads(id).Select(thread => $"{id} {ProcessTree.ReadFile(thread, "comm")}: {Stack(thread)}")));

    private static string Stack(string thread)
    {
        string[] frames = ProcessTree.ReadFile(thread, "stack").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return frames.Length == 0
            ? ProcessTree.ReadFile(thread, "wchan")
            : string.Join(' ', frames.Take(Frames).Select(f => f[(f.LastIndexOf(' ') + 1)..]));
    }
}
