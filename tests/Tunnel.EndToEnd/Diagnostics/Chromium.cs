using Microsoft.Playwright;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>The distribution's own Chromium, which starts with the first visit.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private const string Program = "/usr/bin/chromium";

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Somebody who knows nothing of the visits before: what a browser keeps is a context's.</summary>
    /// <param name="scheme">The colours that he prefers.</param>
    /// <param name="width">Of his window, in pixels.</param>
    public async Task<IBrowserContext> VisitAsync(ColorScheme scheme, int width)
    {
        Requires.That(File.Exists(Program), $"needs {Program}");
        _playwright ??= await Playwright.CreateAsync();
        _browser ??= await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = Program, Args = ["--no-sandbox", "--disable-dev-shm-usage"] });
        return await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = width, Height = 800 },
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}
