using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tunnel.Ctl.Bench;

/// <summary>Results as JSON files.</summary>
internal static class BenchFile
{
    public static string Write(BenchResult result) => JsonSerializer.Serialize(result, BenchJson.Default.BenchResult);

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
            BenchResult? result = JsonSerializer.Deserialize(File.ReadAllText(path), BenchJson.Default.BenchResult);
            return result is { Format: BenchResult.CurrentFormat, Points.Count: > 0 }
                ? result
                : throw new BenchException($"{path}: not a result of this version of bench (format {BenchResult.CurrentFormat})");
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
}

/// <summary>What a user did or has cannot be worked with; the message says what.</summary>
internal sealed class BenchException(string message) : Exception(message);

[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(BenchResult))]
[JsonSerializable(typeof(Comparison))]
internal sealed partial class BenchJson : JsonSerializerContext;
