using Tunnel.App.Config;

namespace Tunnel.Ctl.Init;

/// <summary>Writes a pair's files, all or none, over nothing that is there, for their owner only.</summary>
internal static class InitFiles
{
    /// <returns>The paths: key, server, client.</returns>
    /// <exception cref="InitException">One is there already, cannot be written, or what was asked for is no valid file.</exception>
    public static IReadOnlyList<string> Write(InitPlan plan, string folder)
    {
        (string Path, string Text)[] files =
        [
            (Path.Combine(folder, InitPlan.KeyName), plan.Key + "\n"),
            (Path.Combine(folder, InitPlan.ServerName), plan.ServerText),
            (Path.Combine(folder, InitPlan.ClientName), plan.ClientText),
        ];
        if (files.FirstOrDefault(f => Path.Exists(f.Path)) is { Path: { } there })
            throw new InitException($"{there} is there already: nothing was written; choose another folder with --out");
        List<string> written = [];
        try
        {
            Directory.CreateDirectory(folder);
            foreach ((string path, string text) in files)
            {
                Create(path, text, written);
            }

            RequireValid(files[1].Path, files[2].Path);
            return written;
        }
        catch (Exception e) when (e is InitException or IOException or UnauthorizedAccessException)
        {
            foreach (string path in written)
                File.Delete(path);
            throw e as InitException ?? new InitException($"nothing was written: {e.Message}");
        }
    }

    /// <param name="path">Where nothing is.</param>
    /// <param name="text">All of it.</param>
    /// <param name="written">Has the path as soon as there is a file, before it is filled: a full disk leaves an empty one.</param>
    private static void Create(string path, string text, List<string> written)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(path, options);
        written.Add(path);
        using var writer = new StreamWriter(file);
        writer.Write(text);
    }

    private static void RequireValid(string server, string client)
    {
        ConfigResult<ServerConfig> serverResult = ConfigLoader.LoadServer(server);
        ConfigResult<ClientConfig> clientResult = ConfigLoader.LoadClient(client);
        string[] problems = [.. serverResult.Problems.Select(p => p.ToString(server)), .. clientResult.Problems.Select(p => p.ToString(client))];
        if (problems.Length > 0)
            throw new InitException($"nothing was written, because the files would not do:\n{string.Join('\n', problems)}");
    }
}

/// <summary>The files cannot be made; the message says why.</summary>
internal sealed class InitException(string message) : Exception(message);
