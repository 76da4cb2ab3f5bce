using System.Text;

namespace Tunnel.Ctl;

/// <summary>A file where none was, whole or not at all: what a full disk leaves of it would be in the next try's way.</summary>
internal static class NewFile
{
    /// <exception cref="IOException">There is one already, or it cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made.</exception>
    public static void Write(string path, string text)
    {
        // Without a buffer, which would be written once more when the file is closed.
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
        try
        {
            file.Write(Encoding.UTF8.GetBytes(text));
        }
        catch (IOException)
        {
            File.Delete(path);
            throw;
        }
    }
}
