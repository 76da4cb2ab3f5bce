using System.Globalization;

namespace Tunnel.Ctl.Lab;

/// <summary>A process and those that it has started, as /proc shows them now (proc(5)).</summary>
internal static class ProcessTree
{
    /// <summary>The process first, then its children, and theirs.</summary>
    public static IEnumerable<int> Read(int processId) =>
        ListThreads(processId).SelectMany(ReadChildren).SelectMany(Read).Prepend(processId);

    /// <summary>A folder for each thread of a process; none once it has ended.</summary>
    public static string[] ListThreads(int processId)
    {
        try
        {
            return Directory.GetDirectories($"/proc/{processId}/task");
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>What a thread's folder tells; nothing once it has ended, or where the kernel does not tell it, or not to this user.</summary>
    public static string ReadFile(string thread, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(thread, file)).TrimEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static IEnumerable<int> ReadChildren(string thread) =>
        ReadFile(thread, "children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(c => int.Parse(c, CultureInfo.InvariantCulture));
}
