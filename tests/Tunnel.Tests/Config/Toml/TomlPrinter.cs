using System.Globalization;
using Tunnel.App.Config.Toml;

namespace Tunnel.Tests.Config.Toml;

/// <summary>Prints a tree on one line, so that a table test can say what it expects.</summary>
internal static class TomlPrinter
{
    public static string Print(TomlValue value) => value switch
    {
        TomlString text => "'" + text.Value.Replace("\r", "<CR>").Replace("\n", "<LF>").Replace("\t", "<TAB>") + "'",
        TomlInteger integer => integer.Value.ToString(CultureInfo.InvariantCulture),
        TomlFloat number => number.Value.ToString("R", CultureInfo.InvariantCulture) + "f",
        TomlBoolean boolean => boolean.Value ? "true" : "false",
        TomlDateTime moment => Print(moment.Value),
        TomlArray array => (array.IsOfTables ? "T" : "") + "[" + string.Join(",", array.Items.Select(Print)) + "]",
        TomlTable table => "{" + string.Join(",", table.Entries.Select(entry => $"{entry.Name}:{Print(entry.Value)}")) + "}",
        _ => throw new InvalidOperationException(),
    };

    private static string Print(TomlMoment m)
    {
        string date = $"{m.Year:0000}-{m.Month:00}-{m.Day:00}";
        string time = $"{m.Hour:00}:{m.Minute:00}:{m.Second:00}" + (m.Nanosecond == 0 ? "" : $".{m.Nanosecond:000000000}");
        return m.Kind switch
        {
            TomlMomentKind.LocalDate => date,
            TomlMomentKind.LocalTime => time,
            TomlMomentKind.LocalDateTime => $"{date}T{time}",
            _ => $"{date}T{time}{m.OffsetMinutes:+0;-0;+0}",
        };
    }
}
