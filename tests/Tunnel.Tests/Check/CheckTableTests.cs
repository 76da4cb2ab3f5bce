using Spectre.Console;
using Tunnel.Ctl;
using Tunnel.Ctl.Check;

namespace Tunnel.Tests.Check;

/// <summary>A report where there is no terminal, or one that COLUMNS speaks of.</summary>
public sealed class CheckTableTests : IDisposable
{
    private readonly FixtureHost _host = new();

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData(null, Terminal.Unfolded)]
    [InlineData("", Terminal.Unfolded)]
    [InlineData("wide", Terminal.Unfolded)]
    [InlineData("0", Terminal.Unfolded)]
    [InlineData("100", 100)]
    public void APipeIsAsWideAsItIsTold(string? columns, int width) => Assert.Equal(width, Terminal.WidthWithoutTerminal(columns));

    /// <summary>For grep.</summary>
    [Fact]
    public async Task UnfoldedAFindingIsALine()
    {
        CheckReport report = await _host.CheckAsync();
        string[] lines = await PrintAsync(Terminal.Unfolded);
        Assert.All(report.Findings, f => Assert.Single(lines, l => l.StartsWith($"{JsonText.Word(f.Verdict),-8} {f.Name} ", StringComparison.Ordinal)));
        Assert.All(lines, l => Assert.Equal(l.TrimEnd(), l));
        Finding somaxconn = report.Findings.Single(f => f.Name == "net.core.somaxconn");
        Assert.Contains(lines, l => l.Contains($"{somaxconn.Is}; should be: {somaxconn.Should} ({somaxconn.Why})", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(80)]
    [InlineData(180)]
    public async Task FoldedNothingIsWider(int width) =>
        Assert.All((await PrintAsync(width)).TakeWhile(l => l != "Commands, as root:"), l => Assert.InRange(l.Length, 0, width));

    private async Task<string[]> PrintAsync(int width)
    {
        var text = new StringWriter { NewLine = "\n" };
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.No });
        console.Profile.Width = width;
        CheckTable.Print(console, text, await _host.CheckAsync());
        return text.ToString().Split('\n');
    }
}
