using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tunnel.App.Config;

/// <summary>
/// A text that must not be seen: it prints as <c>***</c> wherever something prints it (logs, records, JSON, the debugger). Whoever
/// needs the text says so with <see cref="Reveal"/>.
/// </summary>
[DebuggerDisplay("***")]
[JsonConverter(typeof(SecretJsonConverter))]
public sealed class Secret : IEquatable<Secret>
{
    /// <summary>No secret at all: an unencrypted tunnel has one.</summary>
    public static readonly Secret Empty = new("");

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly string _text;

    public Secret(string text) => _text = text;

    public bool IsEmpty => _text.Length == 0;

    /// <summary>The text itself. Not for messages.</summary>
    public string Reveal() => _text;

    /// <summary>Compares in a time that does not depend on where the texts differ.</summary>
    public bool Equals(Secret? other) =>
        other is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(_text), Encoding.UTF8.GetBytes(other._text));

    public override bool Equals(object? obj) => Equals(obj as Secret);

    /// <summary>The same for all: a hash would tell something about the text.</summary>
    public override int GetHashCode() => 0;

    public override string ToString() => "***";
}

/// <summary>Writes three stars. Cannot read: what it wrote is not the secret.</summary>
internal sealed class SecretJsonConverter : JsonConverter<Secret>
{
    public override Secret Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("a secret is not read from JSON");

    public override void Write(Utf8JsonWriter writer, Secret value, JsonSerializerOptions options) => writer.WriteStringValue("***");
}
