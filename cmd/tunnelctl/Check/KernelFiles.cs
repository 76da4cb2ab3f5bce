using System.Text;

namespace Tunnel.Ctl.Check;

/// <summary>
/// The files in which the kernel tells and takes its settings, under a root that is "/" except in tests. Nothing throws for what a file
/// is or is not: the reading says why there is no text.
/// </summary>
internal sealed class KernelFiles(string root = "/")
{
    private const int MaxBytes = 4 << 20;

    public Reading Read(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(PathOf(path));
            using var memory = new MemoryStream();
            // Files under /proc and /sys have no length beforehand.
            var buffer = new byte[64 << 10];
            for (int count; memory.Length < MaxBytes && (count = stream.Read(buffer)) > 0;)
                memory.Write(buffer, 0, count);
            return new Reading(Encoding.UTF8.GetString(memory.GetBuffer(), 0, (int)memory.Length), null);
        }
        catch (Exception e) when (IsExpected(e))
        {
            return new Reading(null, Explain(path, e));
        }
    }

    /// <summary>Writes a setting in one call, as the kernel wants it; null when the kernel took it, else why not.</summary>
    public string? Write(string path, string text)
    {
        try
        {
            using var stream = new FileStream(PathOf(path), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
            // In a test's folder the file is an ordinary one, of which the end of a longer old text would stay.
            if (stream.CanSeek && stream.Length > 0 && root != "/")
                stream.SetLength(0);
            stream.Write(Encoding.UTF8.GetBytes(text));
            return null;
        }
        catch (Exception e) when (IsExpected(e))
        {
            return Explain(path, e);
        }
    }

    /// <summary>
    /// Puts a whole new file in the place of an ordinary one (or none), so that nobody sees half of it; with null removes it. Null when
    /// that was done, else why not.
    /// </summary>
    public string? Replace(string path, string? text)
    {
        try
        {
            string place = PathOf(path);
            if (text is null)
            {
                File.Delete(place);
                return null;
            }

            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.WriteAllText(place + ".new", text);
            File.Move(place + ".new", place, overwrite: true);
            return null;
        }
        catch (Exception e) when (IsExpected(e))
        {
            return Explain(path, e);
        }
    }

    public bool Exists(string path) => Path.Exists(PathOf(path));

    /// <summary>The names of what is in a folder, sorted as people count (rx-2 before rx-10); none when there is no such folder.</summary>
    public IReadOnlyList<string> List(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(PathOf(folder)).Select(p => Path.GetFileName(p)).OrderBy(n => n.Length).ThenBy(n => n, StringComparer.Ordinal)];
        }
        catch (Exception e) when (IsExpected(e))
        {
            return [];
        }
    }

    /// <summary>The last name of where a symbolic link leads; null when it is none.</summary>
    public string? LinkName(string path) => Path.GetFileName(LinkTarget(path));

    /// <summary>Where a symbolic link leads, as it says; null when it is none.</summary>
    public string? LinkTarget(string path)
    {
        try
        {
            return new FileInfo(PathOf(path)).LinkTarget;
        }
        catch (Exception e) when (IsExpected(e))
        {
            return null;
        }
    }

    private string PathOf(string path) => Path.Combine(root, path.TrimStart('/'));

    private static bool IsExpected(Exception e) =>
        e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException;

    private static string Explain(string path, Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => $"there is no {path} here",
        // What root may not do is for the host to do: much of /proc/sys can only be read in a network namespace or a container.
        UnauthorizedAccessException when Environment.IsPrivilegedProcess => $"the kernel does not permit {path} here: in a namespace or container, only on the host",
        UnauthorizedAccessException => $"no permission for {path}",
        _ => $"{path}: {e.Message}",
    };
}
