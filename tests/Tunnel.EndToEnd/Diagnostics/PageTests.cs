using System.Net;
using System.Net.Sockets;
using Microsoft.Playwright;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>The page at /, in a real browser, of processes that are at work.</summary>
/// <param name="chromium">One for all of them.</param>
public class PageTests(Chromium chromium) : EndToEndTest, IClassFixture<Chromium>
{
    private readonly List<string> _complaints = [];
    private readonly List<string> _requests = [];

    [Theory(Timeout = Limit)]
    [InlineData(ColorScheme.Light, 1280, true)]
    [InlineData(ColorScheme.Dark, 1280, false)]
    [InlineData(ColorScheme.Light, 360, false)]
    [InlineData(ColorScheme.Dark, 360, true)]
    public async Task NumbersMoveUnderLoad(ColorScheme scheme, int width, bool ofServer)
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await StartPairAsync();
        await using EchoLoad load = await EchoLoad.StartAsync(await pair.Client.Socks5PortAsync(), target.Port, 3);
        using DebugClient debug = await DebugClient.ToAsync(ofServer ? pair.Server : pair.Client);
        await using IBrowserContext visit = await chromium.VisitAsync(scheme, width);
        IPage page = await visit.NewPageAsync();
        Watch(page);
        await page.GotoAsync($"{debug.Address}");

        await HoldsAsync(page, "document.getElementById('state').textContent === 'Ready'");
        await HoldsAsync(page, "document.querySelectorAll('#streams-table tbody tr').length === 3");
        Assert.Equal(ofServer ? "tunnel server" : "tunnel client", await page.TitleAsync());
        await HoldsAsync(page, "document.querySelector('.card .value').textContent.includes('bit/s')");
        await ChangeAsync(
            page,
            "document.querySelector('.card .value span').textContent",
            "document.querySelector('.card .line0').getAttribute('d')",
            "document.querySelector('#sessions-table tbody td:nth-child(10)').textContent");
        Assert.Equal(9, await page.Locator(".card").CountAsync());
        Assert.Contains(target.Address, await page.InnerTextAsync("#streams-table"));

        string config = await page.InnerTextAsync("#config");
        Assert.Contains("key = \"***\"", config);
        Assert.DoesNotContain(TunnelSettings.Key, await page.ContentAsync());
        // Wide things scroll in themselves; the page does not, to the side.
        Assert.Equal(width, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Equal(scheme == ColorScheme.Dark, await IsDarkAsync(page));
        await KeepAsync(page, $"{scheme}-{width}");
        ExpectQuiet(debug.Address);
    }

    [Fact(Timeout = Limit)]
    public async Task TablesAreSortedByKeyboard()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await StartPairAsync();
        await using EchoLoad load = await EchoLoad.StartAsync(await pair.Client.Socks5PortAsync(), target.Port, 3);
        using DebugClient debug = await DebugClient.ToAsync(pair.Server);
        await using IBrowserContext visit = await chromium.VisitAsync(ColorScheme.Light, 1280);
        IPage page = await visit.NewPageAsync();
        Watch(page);
        await page.GotoAsync($"{debug.Address}");
        await HoldsAsync(page, "document.querySelectorAll('#streams-table tbody tr').length === 3");

        // The first stop is the link past the charts; what has the focus is to be seen.
        await page.Keyboard.PressAsync("Tab");
        Assert.Equal("skip", await page.EvaluateAsync<string>("document.activeElement.className"));
        Assert.NotEqual("none", await page.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle"));

        ILocator number = page.Locator("#streams-table th:last-child");
        for (int i = 0; i < 60 && await page.EvaluateAsync<string>("document.activeElement.textContent") != "Number"; i++)
            await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        Assert.Equal("descending", await number.GetAttributeAsync("aria-sort"));
        int[] falling = await NumbersAsync(page);
        Assert.Equal(falling.OrderDescending(), falling);
        await page.Keyboard.PressAsync("Space");
        Assert.Equal("ascending", await number.GetAttributeAsync("aria-sort"));
        Assert.Equal(falling.Order(), await NumbersAsync(page));

        // The charts' cursor goes back in time and says so, to those who do not see it too.
        await page.Locator(".plot").First.FocusAsync();
        await page.Keyboard.PressAsync("ArrowLeft");
        // Both at one moment: the time that is shown grows old with each second.
        string[] said = await page.EvaluateAsync<string[]>(
            "[document.querySelector('.card .when').textContent, document.querySelector('.plot').getAttribute('aria-label')]");
        Assert.Matches("^[1-9][0-9]* s ago$", said[0]);
        Assert.EndsWith($", {said[0]}", said[1]);
        ExpectQuiet(debug.Address);
    }

    [Fact(Timeout = Limit)]
    public async Task AProcessThatIsStartedAnewIsFoundAgain()
    {
        int udp = FreeUdpPort(), tcp = FreeTcpPort();
        TunnelSettings settings = TunnelSettings.UdpServer(udp).With("debug.pprof", $"127.0.0.1:{tcp}");
        TunnelProcess first = await StartServerAsync(settings);
        await using IBrowserContext visit = await chromium.VisitAsync(ColorScheme.Light, 800);
        IPage page = await visit.NewPageAsync();
        await page.GotoAsync($"http://127.0.0.1:{tcp}/");
        await ShowsAsync(page, $"{first.Id}");
        await first.KillAsync();
        await HoldsAsync(page, "document.getElementById('state').dataset.state === 'wait'");
        // What is seen is old, and looks it.
        await HoldsAsync(page, @"/is old, of \d+:\d+/.test(document.getElementById('state').textContent)");
        Assert.True(await page.EvaluateAsync<double>("getComputedStyle(document.querySelector('main')).opacity") < 1);
        await KeepAsync(page, "stale");
        TunnelProcess second = await StartServerAsync(settings);
        await ShowsAsync(page, $"{second.Id}");
        await HoldsAsync(page, "document.getElementById('state').dataset.state === 'good'");
        Assert.Equal(1, await page.EvaluateAsync<double>("getComputedStyle(document.querySelector('main')).opacity"));
    }

    /// <summary>
    /// A process that hangs, or a network that swallows everything, breaks no connection, so the browser tells of nothing: figures that no news has
    /// come of look old all the same, and are new again when there is some.
    /// </summary>
    [Fact(Timeout = Limit)]
    public async Task FiguresOfAProcessThatFellSilentLookOld()
    {
        int tcp = FreeTcpPort();
        TunnelProcess server = await StartServerAsync(TunnelSettings.UdpServer(FreeUdpPort()).With("debug.pprof", $"127.0.0.1:{tcp}"));
        await using IBrowserContext visit = await chromium.VisitAsync(ColorScheme.Light, 800);
        IPage page = await visit.NewPageAsync();
        Watch(page);
        await page.GotoAsync($"http://127.0.0.1:{tcp}/");
        await HoldsAsync(page, "document.getElementById('state').dataset.state === 'good'");
        server.Pause();
        await HoldsAsync(page, @"/is old, of \d+:\d+/.test(document.getElementById('state').textContent)");
        Assert.Equal("wait", await page.EvaluateAsync<string>("document.getElementById('state').dataset.state"));
        await HoldsAsync(page, "getComputedStyle(document.querySelector('main')).opacity < 1");
        // What was last stays to be read.
        await ShowsAsync(page, $"{server.Id}");
        server.Resume();
        await HoldsAsync(page, "document.getElementById('state').dataset.state === 'good'");
        await HoldsAsync(page, "getComputedStyle(document.querySelector('main')).opacity === '1'");
        // By the same connection: it was not one that broke.
        Assert.Single(_requests, url => url.EndsWith("/events", StringComparison.Ordinal));
        Assert.Empty(_complaints);
    }

    /// <summary>The page's policy lets nobody evaluate texts within it, so it is asked from outside, again and again.</summary>
    private static Task HoldsAsync(IPage page, string expression) =>
        Until.TrueAsync(expression, () => page.EvaluateAsync<bool>(expression));

    private static async Task ShowsAsync(IPage page, string fact) =>
        await HoldsAsync(page, $"[...document.querySelectorAll('#facts dd')].some(d => d.textContent === '{fact}')");

    /// <summary>Each of them does; most of them together, for the page has news once a second.</summary>
    private static async Task ChangeAsync(IPage page, params string[] expressions)
    {
        string[] before = new string[expressions.Length];
        for (int i = 0; i < before.Length; i++)
            before[i] = await page.EvaluateAsync<string>(expressions[i]);
        for (int i = 0; i < before.Length; i++)
            await Until.TrueAsync($"{expressions[i]} changes", async () => await page.EvaluateAsync<string>(expressions[i]) != before[i]);
    }

    private static async Task<int[]> NumbersAsync(IPage page) =>
        [.. (await page.Locator("#streams-table tbody td:last-child").AllInnerTextsAsync()).Select(int.Parse)];

    private static async Task<bool> IsDarkAsync(IPage page)
    {
        string colour = await page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
        int[] parts = [.. colour.Split('(', ')')[1].Split(',').Select(int.Parse)];
        return parts.Average() < 128;
    }

    /// <summary>For whoever wants to look: with TUNNEL_SCREENSHOTS a folder of pictures.</summary>
    private static async Task KeepAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("TUNNEL_SCREENSHOTS") is { Length: > 0 } folder)
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{name}.png"), FullPage = true });
    }

    private void Watch(IPage page)
    {
        page.Console += (_, message) => Note(_complaints, $"{message.Type}: {message.Text}");
        page.PageError += (_, error) => Note(_complaints, error);
        page.Request += (_, request) => Note(_requests, request.Url);
    }

    private static void Note(List<string> list, string text)
    {
        lock (list)
            list.Add(text);
    }

    private void ExpectQuiet(Uri address)
    {
        lock (_complaints)
            Assert.Empty(_complaints);
        lock (_requests)
            Assert.All(_requests, url => Assert.True(url.StartsWith($"{address}") || url.StartsWith("data:"), url));
    }

    private Task<UdpPair> StartPairAsync() => UdpPair.StartAsync(
        this, FreeUdpPort(), s => s["debug.pprof"] = "127.0.0.1:0", c => c["debug.pprof"] = "127.0.0.1:0");

    private static int FreeTcpPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
