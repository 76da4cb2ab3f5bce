using System.Text.Json;

namespace Tunnel.Ctl.Bench;

/// <summary>Results as JSON files.</summary>
internal static class BenchFile
{
    public static string Write(BenchResult result) => JsonText.Write(result);

    /// <exception cref="BenchException">It cannot be written, or is there already.</exception>
    public static void Save(string path, BenchResult result)
    {
        try
        {
            NewFile.Write(path, Write(result) + "\n");
        }
        catch (IOException e)
        {
            throw new BenchException(File.Exists(path) ? $"{path} is there already and is not written over" : $"{path}: {e.Message}");
        }
        catch (UnauthorizedAccessException e)
        {
            throw new BenchException($"{path}: {e.Message}");
        }
    }

    /// <exception cref="BenchException">It cannot be read, or is not a result.</exception>
    public static BenchResult Load(string path)
    {
        try
        {
            string text = File.ReadAllText(path);
            if (FormatOf(text) is { } format and not BenchResult.CurrentFormat)
                throw new BenchException($"{path}: of another version of bench (format {format}; this one's is {BenchResult.CurrentFormat}): measure it anew");
            BenchResult result = JsonText.Read<BenchResult>(text);
            return result.Points.Count > 0 ? result : throw new BenchException($"{path}: not a result of bench --save");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BenchException($"{path}: {e.Message}");
        }
        catch (JsonException e)
        {
            // Its message names types of ours; where the text breaks is what helps.
            string where = e.LineNumber is { } line ? $" (line {line + 1})" : "";
            throw new BenchException($"{path}: not a result of bench --save{where}");
        }
    }

    /// <summary>The version that the file says it has; null when it does not, and is something else.</summary>
    private static int? FormatOf(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("format", out JsonElement format)
            && format.ValueKind == JsonValueKind.Number && format.TryGetInt32(out int number) ? number : null;
    }
}

/// <summary>What a user did or has cannot be worked with; the message says what.</summary>
internal sealed class BenchException(string message) : Exception(message);
