using System.Security.Cryptography;

namespace Tunnel.App.Hosting;

/// <summary>
/// Notices that files may have changed. The folders are watched, not the files: editors replace files by renaming, and Kubernetes
/// swaps a link beside them. Where the system's watching fails or does not see it (a link into another folder, a network file system),
/// a look every few seconds does. A change counts when two looks in a row see the same: whoever writes, writes several times.
/// </summary>
internal sealed class ConfigWatch : IDisposable
{
    /// <summary>Between an event, or a look that saw something new, and the next look.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(150);

    private static readonly TimeSpan Later = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly IReadOnlyList<string> _files;
    private readonly List<FileSystemWatcher> _watchers = [];
    private readonly AutoResetEvent _rescheduled = new(false);
    private readonly Action _changed;
    private byte[] _known;
    private byte[] _seen;
    private bool _soon;
    private long _lookAt;
    private volatile bool _stopped;

    /// <param name="files">What to look at.</param>
    /// <param name="changed">Called when one has changed, until <see cref="TakeChange"/> is; without any lock.</param>
    public ConfigWatch(IReadOnlyList<string> files, Action changed)
    {
        _files = files;
        _changed = changed;
        _known = _seen = Fingerprint();
        Schedule(Later);
        new Thread(Run) { IsBackground = true, Name = "configuration" }.Start();
        foreach (string folder in files.Select(f => Path.GetDirectoryName(Path.GetFullPath(f))!).Distinct())
            TryWatch(folder);
    }

    /// <summary>Whether they differ from what they were at the last call, or at the beginning; what they are now is known from then on.</summary>
    public bool TakeChange()
    {
        lock (_lock)
        {
            byte[] now = Fingerprint();
            bool changed = !now.AsSpan().SequenceEqual(_known);
            _known = now;
            return changed;
        }
    }

    public void Dispose()
    {
        _watchers.ForEach(w => w.Dispose());
        _stopped = true;
        // The thread, which may be the caller, does the rest.
        Schedule(TimeSpan.Zero);
    }

    private void TryWatch(string folder)
    {
        try
        {
            var watcher = new FileSystemWatcher(folder);
            _watchers.Add(watcher);
            watcher.Changed += (_, _) => Expect();
            watcher.Created += (_, _) => Expect();
            watcher.Renamed += (_, _) => Expect();
            watcher.Error += (_, _) => Expect();
            watcher.EnableRaisingEvents = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // No watch is left, or no folder: looking now and then does what remains.
        }
    }

    /// <summary>Something happened in a folder. A busy folder is looked at now and then all the same: a look is not put off twice.</summary>
    private void Expect()
    {
        if (!Interlocked.Exchange(ref _soon, true))
            Schedule(Soon);
    }

    internal void Look()
    {
        bool settled, changed;
        lock (_lock)
        {
            Volatile.Write(ref _soon, false);
            byte[] now = Fingerprint();
            settled = now.AsSpan().SequenceEqual(_seen);
            changed = settled && !now.AsSpan().SequenceEqual(_known);
            _seen = now;
        }

        // Whoever takes the change may be waiting for the lock within one of his own.
        if (changed)
            _changed();
        if (!settled)
            Expect();
        else if (!Volatile.Read(ref _soon))
            Schedule(Later);
    }

    private void Run()
    {
        while (!_stopped)
        {
            long left = Volatile.Read(ref _lookAt) - Environment.TickCount64;
            if (left > 0)
            {
                _rescheduled.WaitOne((int)Math.Min(left, int.MaxValue));
                continue;
            }

            // Whatever comes from here on says anew when to look.
            Volatile.Write(ref _lookAt, long.MaxValue);
            Look();
        }

        _rescheduled.Dispose();
    }

    private void Schedule(TimeSpan wait)
    {
        Volatile.Write(ref _lookAt, Environment.TickCount64 + (long)wait.TotalMilliseconds);
        try
        {
            _rescheduled.Set();
        }
        catch (ObjectDisposedException)
        {
            // An event on its way while the watch ended.
        }
    }

    private byte[] Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in _files)
        {
            byte[] content = Read(file, out UnixFileMode mode);
            hash.AppendData(BitConverter.GetBytes((int)mode));
            hash.AppendData(BitConverter.GetBytes(content.Length));
            hash.AppendData(content);
        }

        return hash.GetHashAndReset();
    }

    /// <summary>A file that is not there, or may not be read, looks empty: it is one that changed. Who may read a key's file matters, too.</summary>
    private static byte[] Read(string file, out UnixFileMode mode)
    {
        mode = UnixFileMode.None;
        try
        {
            using FileStream stream = File.OpenRead(file);
            // A pipe (`--config <(decrypt ...)`) was read to its end at the start: nothing more comes, and it has no length.
            if (!stream.CanSeek)
                return [];
            mode = OperatingSystem.IsWindows() ? mode : File.GetUnixFileMode(stream.SafeFileHandle);
            // As long as it is and no longer: looking must not cost a collection of large arrays every few seconds.
            byte[] bytes = new byte[Math.Min(stream.Length, Config.ConfigLoader.MaxFileBytes) + 1];
            return bytes[..stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
