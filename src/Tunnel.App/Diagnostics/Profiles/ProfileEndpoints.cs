using System.Globalization;
using System.Net.Mime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tunnel.App.Diagnostics.Profiles.Pprof;

namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>This process's profiles over HTTP, where `go tool pprof` looks for them: below /debug/pprof.</summary>
public static partial class ProfileEndpoints
{
    private const int LongestSeconds = 600;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly Endpoint[] Endpoints =
    [
        new("profile", "CPU: processor time by stack, over seconds=N (30)", 30, async (p, q, c) =>
            Render(await p.CpuAsync(q.Duration, null, c).ConfigureAwait(false), q), TakesSpeedscope: true),
        new("allocs", "what is allocated, by stack and type, over seconds=N (10)", 10, async (p, q, c) =>
            Render(await p.AllocationsAsync(q.Duration, c).ConfigureAwait(false), q)),
        new("heap", "live objects by type, after a full collection", null, async (p, q, c) =>
            Render(await p.HeapAsync(c).ConfigureAwait(false), q)),
        new("threads", "the stack of each managed thread", null, async (p, q, c) =>
            Render(await p.ThreadsAsync(c).ConfigureAwait(false), q)),
        new("threadcreate", "the same as threads: .NET does not keep what started a thread", null, async (p, q, c) =>
            Render(await p.ThreadsAsync(c).ConfigureAwait(false), q)),
    ];

    private static string Program => Environment.ProcessPath ?? "tunnel";

    /// <summary>Adds the index, the profiles and the trace.</summary>
    public static IEndpointRouteBuilder MapProfiles(this IEndpointRouteBuilder routes)
    {
        var gate = new ProfileGate();
        routes.MapGet("/debug/pprof/", WriteIndexAsync);
        foreach (Endpoint endpoint in Endpoints)
            routes.MapGet($"/debug/pprof/{endpoint.Name}", context => AnswerAsync(context, gate, endpoint));
        routes.MapGet("/debug/pprof/trace", context => TraceAsync(context, gate));
        return routes;
    }

    private static byte[] Render(StackProfile profile, Query query) =>
        query.IsSpeedscope ? SpeedscopeWriter.Write(profile, Program) : PprofWriter.Write(profile, Program);

    private static async Task AnswerAsync(HttpContext context, ProfileGate gate, Endpoint endpoint)
    {
        (Query query, string? problem) = Query.Read(context.Request.Query, endpoint.DefaultSeconds, endpoint.TakesSpeedscope);
        if (problem is not null)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, problem).ConfigureAwait(false);
            return;
        }

        await RunAsync(context, gate, async cancel =>
        {
            byte[] file = await endpoint.MakeAsync(new Profiler(Environment.ProcessId), query, cancel).ConfigureAwait(false);
            SetHeaders(context, query.IsSpeedscope ? $"{endpoint.Name}.speedscope.json" : $"{endpoint.Name}.pb.gz", query.IsSpeedscope);
            context.Response.ContentLength = file.Length;
            await context.Response.Body.WriteAsync(file, cancel).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private static async Task TraceAsync(HttpContext context, ProfileGate gate)
    {
        (Query query, string? problem) = Query.Read(context.Request.Query, defaultSeconds: 1, takesSpeedscope: false);
        if (problem is not null)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, problem).ConfigureAwait(false);
            return;
        }

        await RunAsync(context, gate, async cancel =>
        {
            SetHeaders(context, "trace.nettrace", isJson: false);
            var profiler = new Profiler(Environment.ProcessId);
            await profiler.TraceAsync(query.Duration, context.Response.Body, cancel).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    /// <summary>One at a time: each costs the process something, and they would see each other.</summary>
    private static async Task RunAsync(HttpContext context, ProfileGate gate, Func<CancellationToken, Task> run)
    {
        if (!gate.TryEnter())
        {
            await RefuseAsync(context, StatusCodes.Status409Conflict, "another profile is being made; one at a time").ConfigureAwait(false);
            return;
        }

        // A trace is as long as it is; a reader that stalls for some seconds is a busy host, not an attack.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
            rate.MinDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: Patience);
        CancellationToken stopping = context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            await run(ended.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // Nobody waits for it any more, or the process ends.
            context.Abort();
        }
        catch (ProfilerException e) when (!context.Response.HasStarted)
        {
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, e.Message).ConfigureAwait(false);
        }
        catch (ProfilerException e)
        {
            // Half a trace must not look like a whole one, and nobody else can be told why.
            LogBrokenOff(context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("tunnel"), e.Message);
            context.Abort();
        }
        finally
        {
            gate.Leave();
        }
    }

    private static void SetHeaders(HttpContext context, string fileName, bool isJson)
    {
        context.Response.ContentType = isJson ? MediaTypeNames.Application.Json : MediaTypeNames.Application.Octet;
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{fileName}\"";
        context.Response.Headers.XContentTypeOptions = "nosniff";
    }

    private static Task RefuseAsync(HttpContext context, int status, string text)
    {
        // Not Clear(): it would take those headers away that every answer has.
        context.Response.Headers.ContentDisposition = default;
        context.Response.ContentLength = null;
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text + "\n", context.RequestAborted);
    }

    private static Task WriteIndexAsync(HttpContext context)
    {
        string[] rows =
        [
            .. Endpoints.Select(e => $"<tr><td><a href=\"/debug/pprof/{e.Name}\">{e.Name}</a></td><td>{e.Doc}</td></tr>"),
            "<tr><td><a href=\"/debug/pprof/trace\">trace</a></td><td>.nettrace with samples and events, over seconds=N (1)</td></tr>",
        ];
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(
            $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>Profiles</title></head>
            <body><h1>Profiles</h1>
            <table>
            {string.Join('\n', rows)}
            </table>
            <p>Open with <code>go tool pprof URL</code>; seconds is 1 to {LongestSeconds}; profile?format=speedscope is for speedscope.</p>
            </body></html>

            """,
            context.RequestAborted);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "a trace broke off: {Problem}")]
    private static partial void LogBrokenOff(ILogger logger, string problem);

    private sealed record Endpoint(
        string Name,
        string Doc,
        int? DefaultSeconds,
        Func<Profiler, Query, CancellationToken, Task<byte[]>> MakeAsync,
        bool TakesSpeedscope = false);

    /// <summary>What is asked for.</summary>
    private readonly record struct Query(TimeSpan Duration, bool IsSpeedscope)
    {
        /// <param name="query">As it came.</param>
        /// <param name="defaultSeconds">Null where nothing lasts.</param>
        /// <param name="takesSpeedscope">Whether there is another form.</param>
        public static (Query Query, string? Problem) Read(IQueryCollection query, int? defaultSeconds, bool takesSpeedscope)
        {
            int seconds = defaultSeconds ?? 0;
            if (query.TryGetValue("seconds", out var given))
            {
                if (defaultSeconds is null)
                    return (default, "this is a picture of one moment and takes no seconds");
                bool isNumber = int.TryParse(given.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out seconds);
                if (!isNumber || seconds is < 1 or > LongestSeconds)
                    return (default, $"seconds takes a whole number, 1 to {LongestSeconds}");
            }

            string format = query["format"].ToString();
            return format switch
            {
                "" or "pprof" => (new Query(TimeSpan.FromSeconds(seconds), false), null),
                "speedscope" when takesSpeedscope => (new Query(TimeSpan.FromSeconds(seconds), true), null),
                "speedscope" => (default, "format speedscope is there for profile only"),
                _ => (default, "format takes pprof or speedscope"),
            };
        }
    }
}
