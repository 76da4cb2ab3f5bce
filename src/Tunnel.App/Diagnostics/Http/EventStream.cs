using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Tunnel.App.Diagnostics.Status;

namespace Tunnel.App.Diagnostics.Http;

/// <summary>Server-sent events for the page: the last minutes first, then the status once a second, until either side ends it.</summary>
internal sealed class EventStream(StatusSampler sampler, CancellationToken stopping)
{
    /// <summary>Each viewer costs a report's bytes a second.</summary>
    private const int MostViewers = 16;

    private int _viewers;

    public async Task ServeAsync(HttpContext context)
    {
        try
        {
            if (Interlocked.Increment(ref _viewers) > MostViewers)
                context.Response.StatusCode = (int)HttpStatusCode.ServiceUnavailable;
            else
                await StreamAsync(context).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _viewers);
        }
    }

    private async Task StreamAsync(HttpContext context)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        context.Response.ContentType = "text/event-stream";
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        try
        {
            Task next = sampler.NextAsync();
            // Comes back by itself, soon, when the process is started anew.
            await context.Response.WriteAsync("retry: 1000\n\n", end.Token).ConfigureAwait(false);
            await SendAsync(context, "history", JsonSerializer.Serialize(sampler.GetHistory(), StatusJson.Default.IReadOnlyListRateSample), end.Token)
                .ConfigureAwait(false);
            while (true)
            {
                await SendAsync(context, "status", JsonSerializer.Serialize(sampler.Report(), StatusJson.Default.StatusReport), end.Token)
                    .ConfigureAwait(false);
                await next.WaitAsync(end.Token).ConfigureAwait(false);
                next = sampler.NextAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The viewer went, or the process ends.
        }
    }

    private static async Task SendAsync(HttpContext context, string name, string json, CancellationToken end)
    {
        await context.Response.WriteAsync($"event: {name}\ndata: {json}\n\n", end).ConfigureAwait(false);
        await context.Response.Body.FlushAsync(end).ConfigureAwait(false);
    }
}
