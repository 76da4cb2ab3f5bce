using System.Globalization;

namespace Tunnel.Ctl.Lab;

/// <summary>Where the threads of a process and of its children stand, for who asks why it says nothing: in which call of the kernel, or running.</summary>
internal static class ThreadWaits
{
    /// <summary>The innermost frames alone: those above are the same for all calls.</summary>
    private const int Frames = 3;

    /// <summary>A line a thread; what the kernel does not tell (it shows stacks to root alone) is left out.</summary>
    public static string Describe(int processId)
    {
        var lines = new List<string>();
        var left = new Stack<int>([processId]);
        while (left.TryPop(out int id))
        {
            foreach (string task in ListTasks(id))
            {
                lines.Add($"{id} {Read(task, "comm")}: {Stack(task)}");
                foreach (string child in Read(task, "children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    left.Push(int.Parse(child, CultureInfo.InvariantCulture));
            }
        }

        return string.Join('\n', lines);
    }

    private static string Stack(string task)
    {
        string[] frames = Read(task, "stack").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return frames.Length == 0 ? Read(task, "wchan") : string.Join(' ', frames.Take(Frames).Select(f => f[(f.LastIndexOf(' ') + 1)..]));
    }

    private static string[] ListTasks(int processId)
    {
        try
        {
            return Directory.GetDirectories($"/proc/{processId}/task");
        }
        catch (IOException)
        {
            // It has ended.
            return [];
        }
    }

    private static string Read(string task, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, file)).TrimEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
