using System.Text;

namespace Tunnel.App.Config;

/// <summary>A configuration to be shown: TOML, defaults as comments, no secrets. Immutable.</summary>
public sealed class ShownConfig
{
    private const string Head = "# What is commented out is a default.\n";

    private readonly IReadOnlyList<ShownSetting> _settings;

    internal ShownConfig(IReadOnlyList<ShownSetting> settings) => _settings = settings;

    public override string ToString() => Head + string.Concat(_settings.Select(s => s.Text));

    /// <summary>
    /// What is in force after a reload: the file's settings, but of those that await a restart the ones that the process started with, and
    /// below each as a comment what the file says.
    /// </summary>
    /// <param name="file">What was read again.</param>
    /// <param name="waiting">The names of the settings that await a restart.</param>
    public string WithReloaded(ShownConfig file, IReadOnlyCollection<string> waiting)
    {
        var text = new StringBuilder(Head);
        // Of one side of the tunnel, so the same settings in the same order.
        foreach ((ShownSetting started, ShownSetting next) in _settings.Zip(file._settings))
            text.Append(waiting.Contains(started.Name) ? started.Text + Awaiting(next) : next.Text);
        return text.ToString();
    }

    private static string Awaiting(ShownSetting next)
    {
        string[] lines = next.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 0
            ? $"# awaits a restart: the file leaves {next.Name} out\n"
            : string.Concat(lines.Select(line => $"# awaits a restart: {line.TrimStart('#')}\n"));
    }
}

/// <summary>A key, or all tables of a header that may be repeated; or the header before a table's keys.</summary>
/// <param name="Name">As <see cref="ConfigChange.Name"/> has it.</param>
/// <param name="Text">Its lines; empty where there is nothing to show.</param>
internal sealed record ShownSetting(string Name, string Text);
