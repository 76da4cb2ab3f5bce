using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tunnel.Ctl;

/// <summary>
/// How every verb writes JSON, and reads what it wrote: names in lower case with underscores, words of an enum likewise, and a number that has
/// a unit bears it at the end of its name (_milliseconds, _bytes, _percent, _per_second). /status is written by the same rule.
/// </summary>
internal static class JsonText
{
    public static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        PropertyNameCaseInsensitive = true,
        // Read in a terminal: method names and arrows are full of characters that only HTML would mind.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
        RespectNullableAnnotations = true,
    };

    /// <summary>For what is of this very version, so that nothing may be missing.</summary>
    private static readonly JsonSerializerOptions Complete = new(Options) { RespectRequiredConstructorParameters = true };

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Options);

    /// <exception cref="JsonException">It is no such thing, or not all of it.</exception>
    public static T Read<T>(string text)
        where T : class => JsonSerializer.Deserialize<T>(text, Complete) ?? throw new JsonException("null");

    /// <summary>An enum's word, where no serializer writes it.</summary>
    public static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
