using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Tunnel.Ctl;

/// <summary>
/// The terminal, or what stands in its place: colours only on a terminal. A pipe or a file has no width, so nothing is folded there, and a line stays
/// a line for grep and less -S; unless COLUMNS says how wide it shall be.
/// </summary>
internal static class Terminal
{
    /// <summary>So wide that nothing is folded.</summary>
    public const int Unfolded = 10_000;

    /// <summary>Results: standard output.</summary>
    public static IAnsiConsole Output { get; } = Create(Console.Out, Console.IsOutputRedirected);

    /// <summary>What is going on, and questions: standard error.</summary>
    public static IAnsiConsole Error { get; } = Create(Console.Error, Console.IsErrorRedirected);

    /// <summary>Somebody can be asked.</summary>
    public static bool CanAsk => !Console.IsInputRedirected && !Console.IsErrorRedirected;

    /// <summary>Shows on a terminal what is being done; says nothing elsewhere.</summary>
    public static Task<T> WithProgressAsync<T>(string first, Func<Action<string>, Task<T>> work) => Console.IsErrorRedirected
        ? work(_ => { })
        : Error.Status().StartAsync(first, status => work(what => status.Status = Markup.Escape(what)));

    /// <returns>The table, without the blanks beside its columns where it is too wide with them.</returns>
    public static Table Fitted(this Table table, int width)
    {
        foreach (TableColumn column in table.WidthOn(Output) > width ? table.Columns : [])
            column.Padding = new Padding(0, 0, 0, 0);
        return table;
    }

    /// <returns>Characters that it takes where nothing is folded.</returns>
    public static int WidthOn(this IRenderable what, IAnsiConsole console) => what.Measure(RenderOptions.Create(console), Unfolded).Max;

    private static IAnsiConsole Create(TextWriter writer, bool redirected)
    {
        bool colours = !redirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = colours && !redirected ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = redirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (redirected)
            console.Profile.Width = WidthWithoutTerminal(Environment.GetEnvironmentVariable("COLUMNS"));
        return console;
    }

    internal static int WidthWithoutTerminal(string? columns) =>
        int.TryParse(columns, NumberStyles.None, CultureInfo.InvariantCulture, out int told) && told > 0 ? Math.Min(told, Unfolded) : Unfolded;
}
