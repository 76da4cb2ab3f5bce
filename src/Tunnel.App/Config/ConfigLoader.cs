using Tunnel.App.Config.Loading;
using Tunnel.App.Config.Schema;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config;

/// <summary>
/// Makes configurations of files. Nothing a file holds makes it throw: the result has either the configuration or every problem of
/// the file at once.
/// </summary>
public static class ConfigLoader
{
    /// <summary>Files beyond this were named by mistake.</summary>
    public const int MaxFileBytes = 1 << 20;

    public static ConfigResult<ServerConfig> LoadServer(string path) => LoadFile(path, LoadServer);

    public static ConfigResult<ClientConfig> LoadClient(string path) => LoadFile(path, LoadClient);

    /// <param name="utf8">The file's content.</param>
    /// <param name="fileName">For messages; relative paths in the file are relative to its folder.</param>
    public static ConfigResult<ServerConfig> LoadServer(ReadOnlySpan<byte> utf8, string fileName) =>
        Load(utf8, fileName, ConfigSide.Server, ServerLoader.Load);

    /// <inheritdoc cref="LoadServer(ReadOnlySpan{byte}, string)"/>
    public static ConfigResult<ClientConfig> LoadClient(ReadOnlySpan<byte> utf8, string fileName) =>
        Load(utf8, fileName, ConfigSide.Client, ClientLoader.Load);

    private static ConfigResult<T> Load<T>(ReadOnlySpan<byte> utf8, string fileName, ConfigSide side, Func<ConfigReader, T> load)
        where T : class
    {
        var reader = new ConfigReader(TomlDocument.Parse(utf8), side, Path.GetDirectoryName(fileName) ?? "");
        ShapeCheck.Run(reader);
        T config = load(reader);
        IReadOnlyList<ConfigProblem> problems = reader.Problems;
        bool isValid = problems.Count == 0;
        return new(fileName, isValid ? config : null, problems, reader.Warnings)
        {
            Settings = isValid ? ConfigSettings.Of(reader) : null,
            Files = [fileName, .. reader.Files],
            Shown = isValid ? ShownLines.Read(reader) : null,
        };
    }

    private static ConfigResult<T> LoadFile<T>(string path, LoadBytes<T> load)
        where T : class
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            var bytes = new byte[MaxFileBytes + 1];
            int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= MaxFileBytes
                ? load(bytes.AsSpan(0, length), path)
                : Refuse<T>(path, $"the file is longer than {MaxFileBytes} bytes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return Refuse<T>(path, $"the file cannot be read: {Explain(e, path)}");
        }
    }

    /// <summary>What a person can do something about: of a folder the system says that access is denied.</summary>
    internal static string Explain(Exception e, string path) => Directory.Exists(path) ? "it is a folder" : e.Message;

    private static ConfigResult<T> Refuse<T>(string path, string what)
        where T : class => new(path, null, [new ConfigProblem(0, 0, "", what, null)], []);

    private delegate ConfigResult<T> LoadBytes<T>(ReadOnlySpan<byte> utf8, string fileName)
        where T : class;
}
