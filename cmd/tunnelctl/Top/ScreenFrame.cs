using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Tunnel.Ctl.Top;

/// <summary>
/// A whole screen as one string, drawn over whatever is there. From the corner and not from where the last one ended: a terminal that became
/// narrower has folded that one's lines, and how many there are now only it knows.
/// </summary>
internal static class ScreenFrame
{
    /// <summary>The other screen, no cursor, and no line goes on in the next: a window may become narrower while this is written.</summary>
    public const string Enter = "\e[?1049h\e[?25l\e[?7l";

    /// <summary>As it was.</summary>
    public const string Leave = "\e[?7h\e[?25h\e[?1049l";

    private const string Home = "\e[H";
    private const string EraseRestOfLine = "\e[K";
    private const string EraseBelow = "\e[J";

    /// <param name="what">What is to be seen; what does not fit is cut off below.</param>
    /// <param name="console">Whose colours there are.</param>
    /// <param name="width">Characters a line.</param>
    /// <param name="height">Lines.</param>
    public static string Of(IRenderable what, IAnsiConsole console, int width, int height)
    {
        string[] lines = Draw(what, console, width).TrimEnd('\n').Split('\n');
        var frame = new StringBuilder(Home);
        frame.AppendJoin("\r\n", lines.Take(height).Select(line => line + EraseRestOfLine));
        return frame.Append(EraseBelow).ToString();
    }

    private static string Draw(IRenderable what, IAnsiConsole console, int width)
    {
        var text = new StringWriter { NewLine = "\n" };
        IAnsiConsole paper = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(text),
            Ansi = AnsiSupport.Yes,
            ColorSystem = (ColorSystemSupport)console.Profile.Capabilities.ColorSystem,
            Interactive = InteractionSupport.No,
        });
        paper.Profile.Width = width;
        paper.Write(what);
        return text.ToString().Replace("\r\n", "\n", StringComparison.Ordinal);
    }
}
