using System.Text;
using Tunnel.App.Config.Schema;

namespace Tunnel.App.Config.Loading;

/// <summary>The shared secret: in the file, or in a file of its own.</summary>
internal static class KeyLoader
{
    private const int MaxBytes = 4096;
    private const string EverybodyKnows = "this is the example's key, which everybody knows: replace it";
    private const string Placeholder = "replace-me-with-tunnelctl-keygen";

    /// <param name="reader">The file.</param>
    /// <param name="isNeeded">There must be a key.</param>
    /// <param name="path">The file that holds the key; null when it stands in the configuration, or there is none.</param>
    public static Secret Load(ConfigReader reader, bool isNeeded, out string? path)
    {
        Setting<Secret> key = reader.Get(KcpKeys.Key);
        Setting<string> file = reader.Get(KcpKeys.KeyFile);
        path = file.State == SettingState.Good ? Path.Combine(reader.Folder, file.Value) : null;
        if (key.IsSet && file.IsSet)
            reader.Report(file.Position, KcpKeys.KeyFile, "the file has a key too", "key or key_file, not both");
        if (isNeeded && !key.IsSet && !file.IsSet)
            reader.ReportMissing(key.Position, KcpKeys.Key.FullName, "this is required, or key_file", "a secret from tunnelctl keygen");

        Secret? secret = key.State == SettingState.Good ? key.Value : null;
        if (path is not null && secret is null)
        {
            secret = ReadFile(reader, file, path);
            reader.Refer(KcpKeys.KeyFile, path, secret);
        }

        if (secret?.Reveal() == Placeholder)
            reader.Warn(key.IsSet ? key.Position : file.Position, KcpKeys.Key, EverybodyKnows);
        return secret ?? Secret.Empty;
    }

    private static Secret? ReadFile(ConfigReader reader, Setting<string> file, string path)
    {
        try
        {
            string text = ReadText(path).TrimEnd('\n', '\r');
            WarnIfShared(reader, file, path);
            if (text.Length > 0)
                return new Secret(text);

            reader.Report(file.Position, KcpKeys.KeyFile, "the file is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // The decoder's message would quote the key's bytes.
            string reason = e is DecoderFallbackException ? "it is not UTF-8" : ConfigLoader.Explain(e, path);
            reader.Report(file.Position, KcpKeys.KeyFile, $"the file cannot be used: {reason}");
        }

        return null;
    }

    private static string ReadText(string path)
    {
        using FileStream stream = File.OpenRead(path);
        var bytes = new byte[MaxBytes + 1];
        int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return length <= MaxBytes
            ? new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, length)
            : throw new IOException($"it is longer than {MaxBytes} bytes");
    }

    private static void WarnIfShared(ConfigReader reader, Setting<string> file, string path)
    {
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
            reader.Warn(file.Position, KcpKeys.KeyFile, "others than its owner can read the file: chmod 600 it");
    }
}
