using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Tunnel.Ctl.Demo;

/// <summary>An HTTP server on loopback: GET /SEED/BLOCKS gives a pattern, PUT answers with the SHA-256 of what came.</summary>
internal static class DemoTarget
{
    public static async Task<int> RunAsync(int port, CancellationToken cancel)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.ListenLocalhost(port));
        await using WebApplication app = builder.Build();
        app.Run(HandleAsync);
        await app.StartAsync(cancel).ConfigureAwait(false);
        await Task.Delay(Timeout.Infinite, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }

    private static Task HandleAsync(HttpContext context) =>
        HttpMethods.IsPut(context.Request.Method) ? TakeAsync(context) : GiveAsync(context);

    private static async Task GiveAsync(HttpContext context)
    {
        string[] parts = context.Request.Path.Value!.Trim('/').Split('/');
        int seed = int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture);
        int blocks = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        context.Response.ContentLength = (long)blocks * Pattern.BlockLength;
        using var pattern = new Pattern(seed);
        byte[] block = new byte[Pattern.BlockLength];
        for (int i = 0; i < blocks; i++)
        {
            pattern.Fill(block);
            await context.Response.Body.WriteAsync(block, context.RequestAborted).ConfigureAwait(false);
        }
    }

    private static async Task TakeAsync(HttpContext context)
    {
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        byte[] hash = await SHA256.HashDataAsync(context.Request.Body, context.RequestAborted).ConfigureAwait(false);
        await context.Response.WriteAsync(Convert.ToHexStringLower(hash), context.RequestAborted).ConfigureAwait(false);
    }
}
