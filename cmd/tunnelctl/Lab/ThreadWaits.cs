namespace Tunnel.Ctl.Lab;

/// <summary>
/// Where the threads of a process and of its children stand, for who asks why it says nothing: their state (proc(5): R runs, S sleeps, Z has ended) and
/// ticks of processor time, user's and the kernel's, and the call of the kernel that they are in.
/// </summary>
internal static class ThreadWaits
{
    /// <summary>The innermost frames alone: those above are the same for all calls.</summary>
    private const int Frames = 3;

    /// <summary>A line a thread; what the kernel does not tell (it shows stacks to root alone) is left out.</summary>
    public static string Describe(int processId) => string.Join('\n', ProcessTree.Read(processId).SelectMany(
        id => ProcessTree.ListThreads(id).Select(thread => $"{id} {ProcessTree.ReadFile(thread, "comm")}: {State(thread)} {Stack(thread)}")));

    /// <summary>Fields 3, 14 and 15 of stat; a name before them may have blanks and parentheses.</summary>
    private static string State(string thread)
    {
        string stat = ProcessTree.ReadFile(thread, "stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 12 ? $"{fields[0]} {fields[11]}+{fields[12]}" : "?";
    }

    private static string Stack(string thread)
    {
        string[] frames = ProcessTree.ReadFile(thread, "stack").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return frames.Length == 0
            ? ProcessTree.ReadFile(thread, "wchan")
            : string.Join(' ', frames.Take(Frames).Select(f => f[(f.LastIndexOf(' ') + 1)..]));
    }
}
