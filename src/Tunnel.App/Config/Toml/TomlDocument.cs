namespace Tunnel.App.Config.Toml;

/// <summary>
/// A TOML 1.0 document. <see cref="Parse"/> never throws: a text with errors gives a document that lists them and holds what could
/// be read.
/// </summary>
public sealed class TomlDocument
{
    private TomlDocument(TomlTable root, IReadOnlyList<TomlError> errors)
    {
        Root = root;
        Errors = errors;
    }

    public TomlTable Root { get; }

    /// <summary>Every error found, in the order of the text; empty for a valid document.</summary>
    public IReadOnlyList<TomlError> Errors { get; }

    /// <summary>Reads a whole document. After an error it goes on at the next line; it stops after 100 errors.</summary>
    public static TomlDocument Parse(ReadOnlySpan<byte> utf8)
    {
        var errors = new TomlErrors();
        var cursor = new TomlCursor(TomlText.Decode(utf8, errors));
        TomlTable root = new TomlParser(cursor, errors).Parse();
        return new TomlDocument(root, errors.ToSortedList());
    }
}
