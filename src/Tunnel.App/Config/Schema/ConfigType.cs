using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Schema;

/// <summary>What values a key takes: in words, and as the function that reads them.</summary>
/// <param name="allowed">For messages and the reference: "an integer, 1 to 65535".</param>
/// <param name="read">Gives the value, or says what is wrong with it.</param>
internal sealed class ConfigType<T>(string allowed, Func<TomlValue, Parsed<T>> read)
{
    public string Allowed { get; } = allowed;

    public Parsed<T> Read(TomlValue value) => read(value);
}

internal static class ConfigTypeExtensions
{
    /// <summary>The same type, where "auto" means that the program finds it, and is null.</summary>
    public static ConfigType<T?> OrAuto<T>(this ConfigType<T> type)
        where T : class => new($"\"auto\" or {type.Allowed}", value =>
    {
        if (value is TomlString { Value: "auto" })
            return Parsed<T?>.Good(null);

        Parsed<T> parsed = type.Read(value);
        return new(parsed.Value, parsed.Problem, parsed.At);
    });

    /// <summary>The same for numbers.</summary>
    public static ConfigType<int?> OrAuto(this ConfigType<int> type) => type.Or("auto");

    /// <summary>The same with another word.</summary>
    public static ConfigType<T?> Or<T>(this ConfigType<T> type, string word)
        where T : struct => new($"\"{word}\" or {type.Allowed}", value =>
    {
        if (value is TomlString text && text.Value == word)
            return Parsed<T?>.Good(null);

        Parsed<T> parsed = type.Read(value);
        return new(parsed.Value, parsed.Problem, parsed.At);
    });
}

/// <summary>A value that was read, or why not.</summary>
/// <param name="Value">Meaningless with a problem.</param>
/// <param name="Problem">What is wrong; null if nothing is.</param>
/// <param name="At">Where, if not at the value's beginning.</param>
internal readonly record struct Parsed<T>(T Value, string? Problem, TomlPosition? At = null)
{
    public static Parsed<T> Good(T value) => new(value, null);

    public static Parsed<T> Bad(string problem, TomlPosition? at = null) => new(default!, problem, at);

    /// <summary>The value has the wrong kind altogether. Does not quote it.</summary>
    public static Parsed<T> Mismatch(TomlValue value) => Bad($"this is {value.Kind}", value.Position);
}
