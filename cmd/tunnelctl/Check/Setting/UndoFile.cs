using System.Globalization;
using System.Text.Json;

namespace Tunnel.Ctl.Check.Setting;

/// <summary>What undoes one --apply: JSON, schema 1.</summary>
/// <param name="Schema">1.</param>
/// <param name="Time">When it was done.</param>
/// <param name="Host">Where; it is of no use elsewhere.</param>
/// <param name="Interface">Whose card; null when there was none.</param>
/// <param name="Changes">The knobs, in the order in which they were set.</param>
/// <param name="Files">The files that --persist wrote.</param>
internal sealed record UndoFile(
    int Schema, DateTimeOffset Time, string Host, string? Interface, IReadOnlyList<Change> Changes, IReadOnlyList<WrittenFile> Files)
{
    private const int CurrentSchema = 1;
    private const string Folder = "/var/lib/tunnel";

    public static string DefaultPath() =>
        Path.Combine(Folder, $"undo-{DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}.json");

    public static UndoFile Of(CheckContext context, IReadOnlyList<Change> changes, IReadOnlyList<WrittenFile> files) =>
        new(CurrentSchema, DateTimeOffset.UtcNow, Environment.MachineName, context.Interface, changes, files);

    /// <summary>Writes a new file; there must be none of that name.</summary>
    /// <exception cref="TuningException">There is one, or it cannot be written.</exception>
    public void Create(string path)
    {
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
                Directory.CreateDirectory(folder);
            NewFile.Write(path, JsonText.Write(this));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TuningException($"cannot write {path}, so nothing was changed: {e.Message}");
        }
    }

    /// <summary>Writes what was really done over what was planned, which stays when that fails.</summary>
    /// <exception cref="TuningException">It cannot be written.</exception>
    public void Replace(string path)
    {
        try
        {
            File.Delete(path + ".new");
            NewFile.Write(path + ".new", JsonText.Write(this));
            File.Move(path + ".new", path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TuningException($"cannot write {path} again: it undoes what was planned, not what was done besides: {e.Message}");
        }
    }

    /// <summary>Takes the file away again, when there is nothing for it to undo; says so if it stays.</summary>
    public static IEnumerable<string> Remove(string path)
    {
        try
        {
            File.Delete(path);
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [$"{path} undoes nothing and cannot be removed: {e.Message}"];
        }
    }

    /// <exception cref="TuningException">It is no such file.</exception>
    public static UndoFile Read(string path)
    {
        try
        {
            UndoFile? file = JsonSerializer.Deserialize<UndoFile>(File.ReadAllBytes(path), JsonText.Options);
            if (file is not { Schema: CurrentSchema, Changes: not null, Files: not null } || file.Changes.Contains(null!) || file.Files.Contains(null!))
                throw new TuningException($"{path} is not a file that check --apply wrote");
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new TuningException($"cannot read {path}: {e.Message}");
        }
    }
}

/// <summary>A file that --persist wrote.</summary>
/// <param name="Path">Where.</param>
/// <param name="Before">What was there; null when there was none.</param>
/// <param name="After">What is there now.</param>
internal sealed record WrittenFile(string Path, string? Before, string After);
