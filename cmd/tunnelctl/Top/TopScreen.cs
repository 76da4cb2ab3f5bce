using Spectre.Console;
using Spectre.Console.Rendering;
using Tunnel.App.Diagnostics.Status;

namespace Tunnel.Ctl.Top;

/// <summary>The live view: asks once a second, redraws, obeys keys. A process that goes away is waited for.</summary>
internal sealed class TopScreen(StatusSource source)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeyInterval = TimeSpan.FromMilliseconds(50);

    private TopSort _sort = TopSort.In;
    private string _problem = "";

    public async Task RunAsync(StatusReport first, CancellationToken cancel)
    {
        StatusReport status = first;
        await AnsiConsole.Live(Render(status)).AutoClear(true).StartAsync(async live =>
        {
            while (await WaitAsync(() => Show(live, status), cancel))
            {
                status = await ReadAsync(status, cancel);
                Show(live, status);
            }
        });
        AnsiConsole.Write(View(status));
    }

    private void Show(LiveDisplayContext live, StatusReport status)
    {
        live.UpdateTarget(Render(status));
        live.Refresh();
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

    /// <summary>Waits for the next turn, and obeys keys meanwhile; false to end.</summary>
    private async Task<bool> WaitAsync(Action redraw, CancellationToken cancel)
    {
        long end = Environment.TickCount64 + (long)Interval.TotalMilliseconds;
        while (Environment.TickCount64 < end)
        {
            if (cancel.IsCancellationRequested)
                return false;
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

    private Rows Render(StatusReport status)
    {
        string keys = string.Join(' ', TopColumn.All.Select(c => $"{c.Key} {c.Title.ToLowerInvariant()}"));
        IRenderable foot = _problem.Length != 0 ? new Text(_problem, new Style(Color.Red)) : new Text($"sort: {keys}; q quit", new Style(Color.Grey));
        return new Rows(View(status), foot);
    }

    private IRenderable View(StatusReport status) => TopView.Render(status, _sort, AnsiConsole.Profile.Width, AnsiConsole.Profile.Height);
}
