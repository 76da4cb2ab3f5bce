using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Tunnel.App.Diagnostics.Metering;
using Tunnel.App.Diagnostics.Page;
using Tunnel.App.Diagnostics.Profiles;
using Tunnel.App.Diagnostics.Status;

namespace Tunnel.App.Diagnostics.Http;

/// <summary>What there is to see, by path.</summary>
internal sealed class Endpoints(ITunnelEnd end, DiagnosticsOptions options, StatusSampler sampler)
{
    private const string Plain = "text/plain; charset=utf-8";

    public void Map(WebApplication app)
    {
        var events = new EventStream(sampler, app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);
        Map(app, "/metrics", PrometheusText.ContentType, () => PrometheusText.Render(Reading.Take(end), options.Version));
        Map(app, "/status", "application/json", () => JsonSerializer.Serialize(sampler.Report(), StatusJson.Default.StatusReport));
        Map(app, "/config", Plain, options.ShownConfig);
        Map(app, "/healthz", Plain, () => "ok\n");
        app.MapMethods("/readyz", Methods, SayReadyAsync);
        app.MapMethods("/events", Methods, events.ServeAsync);
        foreach (PageFile file in PageFile.All)
            Map(app, file.Path, file.ContentType, () => file.Text);

        app.MapProfiles();
    }

    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    private static void Map(IEndpointRouteBuilder app, string path, string contentType, Func<string> render) =>
        app.MapMethods(path, Methods, context => WriteAsync(context, contentType, render()));

    private static Task WriteAsync(HttpContext context, string contentType, string text)
    {
        context.Response.ContentType = contentType;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(text, context.RequestAborted);
    }

    private Task SayReadyAsync(HttpContext context)
    {
        string? unready = end.Unready;
        if (unready is not null)
            context.Response.StatusCode = (int)HttpStatusCode.ServiceUnavailable;
        return WriteAsync(context, Plain, (unready ?? "ready") + "\n");
    }
}
