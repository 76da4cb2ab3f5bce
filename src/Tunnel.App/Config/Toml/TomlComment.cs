namespace Tunnel.App.Config.Toml;

internal static class TomlComment
{
    /// <summary>Skips a comment, if one begins here, up to the line's end; reports the first character that may not be in it.</summary>
    public static void TrySkip(TomlCursor cursor, TomlErrors errors)
    {
        if (cursor.Current != '#')
            return;

        bool reported = false;
        for (; !cursor.AtLineEnd; cursor.Advance())
        {
            if (reported || !TomlText.IsForbidden(cursor.Current))
                continue;

            errors.Add(cursor.Position, TomlText.NameControl(cursor.Current));
            reported = true;
        }
    }
}
