using System.Globalization;

namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>
/// How much processor time each thread of a process took since the beginning, as the kernel accounts it. To be asked now and then, so
/// that a thread that ends is missed by little.
/// </summary>
internal sealed class ThreadClock(int process)
{
    private readonly Dictionary<long, Time> _times = [];

    /// <summary>Nanoseconds since the first <see cref="Read"/> (or since the thread's start), by the kernel's number of the thread.</summary>
    public IEnumerable<(long Thread, string Name, long Nanoseconds)> Spent =>
        _times.Select(t => (t.Key, t.Value.Name, t.Value.Last - t.Value.First));

    /// <summary>Whether the kernel tells at all.</summary>
    public bool IsKnown => _times.Count != 0;

    public void Read()
    {
        bool isFirst = _times.Count == 0;
        try
        {
            foreach (string folder in Directory.EnumerateDirectories($"/proc/{process}/task"))
                Read(folder, isFirst);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The process has ended, or is hidden; what was read before stands.
        }
    }

    private void Read(string folder, bool isFirst)
    {
        long thread = long.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture);
        try
        {
            string text = File.ReadAllText(folder + "/schedstat");
            long spent = long.Parse(text.AsSpan(0, text.IndexOf(' ')), CultureInfo.InvariantCulture);
            if (_times.TryGetValue(thread, out Time? time))
                time.Last = spent;
            else
                _times[thread] = new Time(File.ReadAllText(folder + "/comm").Trim(), isFirst ? spent : 0) { Last = spent };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // This thread has ended meanwhile.
        }
    }

    private sealed class Time(string name, long first)
    {
        public string Name { get; } = name;

        public long First { get; } = first;

        public long Last { get; set; }
    }
}
