using Spectre.Console;
using Spectre.Console.Rendering;
using Tunnel.App.Diagnostics.Status;

namespace Tunnel.Ctl.Top;

/// <summary>
/// The live view: asks once a second, redraws, obeys keys, follows the window's size. A process that goes away is waited for. It has the
/// terminal's other screen to itself, as htop has; the last view stays behind on the usual one.
/// </summary>
internal sealed class TopScreen(StatusSource source)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeyInterval = TimeSpan.FromMilliseconds(50);

    private TopSort _sort = TopSort.In;
    private string _problem = "";

    public async Task RunAsync(StatusReport first, CancellationToken cancel)
    {
        StatusReport status = first;
        Console.Out.Write(ScreenFrame.Enter);
        try
        {
            Show(status);
            while (await WaitAsync(() => Show(status), cancel))
            {
                status = await ReadAsync(status, cancel);
                Show(status);
            }
        }
        finally
        {
            Console.Out.Write(ScreenFrame.Leave);
        }

        AnsiConsole.Write(View(status, SizeOf(AnsiConsole.Console)));
    }

    private void Show(StatusReport status)
    {
        (int Width, int Height) size = SizeOf(AnsiConsole.Console);
        Console.Out.Write(ScreenFrame.Of(Render(status, size), AnsiConsole.Console, size.Width, size.Height));
    }

    private async Task<StatusReport> ReadAsync(StatusReport last, CancellationToken cancel)
    {
        try
        {
            StatusReport status = await source.ReadAsync(cancel);
            _problem = "";
            return status;
        }
        catch (StatusException e)
        {
            _problem = e.Message;
            return last;
        }
    }

    /// <summary>Waits for the next turn, and obeys keys and the window meanwhile; false to end.</summary>
    private async Task<bool> WaitAsync(Action redraw, CancellationToken cancel)
    {
        long end = Environment.TickCount64 + (long)Interval.TotalMilliseconds;
        (int, int) size = SizeOf(AnsiConsole.Console);
        while (Environment.TickCount64 < end)
        {
            if (cancel.IsCancellationRequested)
                return false;
            if (SizeOf(AnsiConsole.Console) is var now && now != size)
            {
                size = now;
                redraw();
            }

            while (Console.KeyAvailable)
            {
                ConsoleKeyInfo key = Console.ReadKey(intercept: true);
                if (key.Key is ConsoleKey.Q or ConsoleKey.Escape)
                    return false;
                _sort = TopColumn.ByKey(key.KeyChar) ?? _sort;
                redraw();
            }

            await Task.Delay(KeyInterval, CancellationToken.None);
        }

        return !cancel.IsCancellationRequested;
    }

    private Rows Render(StatusReport status, (int Width, int Height) size)
    {
        string keys = string.Join(' ', TopColumn.All.Select(c => $"{c.Key} {c.Title.ToLowerInvariant()}"));
        IRenderable foot = _problem.Length != 0 ? new Text(_problem, new Style(Color.Red)) : new Text($"sort: {keys}; q quit", new Style(Color.Grey));
        return new Rows(View(status, size), foot);
    }

    private IRenderable View(StatusReport status, (int Width, int Height) size) => TopView.Render(status, _sort, size.Width, size.Height);

    private static (int Width, int Height) SizeOf(IAnsiConsole console) => (console.Profile.Width, console.Profile.Height);
}
