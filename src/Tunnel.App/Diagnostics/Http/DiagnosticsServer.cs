using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Diagnostics.Status;

namespace Tunnel.App.Diagnostics.Http;

/// <summary>The HTTP server of [debug].</summary>
public sealed class DiagnosticsServer : IAsyncDisposable
{
    /// <summary>Far more than anybody needs who looks at one process.</summary>
    private const int MostConnections = 64;

    private readonly WebApplication _app;
    private readonly StatusSampler _sampler;

    private DiagnosticsServer(WebApplication app, StatusSampler sampler, IPEndPoint address) =>
        (_app, _sampler, Address) = (app, sampler, address);

    /// <summary>Where it listens: port 0 has become a real one.</summary>
    public IPEndPoint Address { get; }

    /// <exception cref="IOException">The port is taken.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be used.</exception>
    public static async Task<DiagnosticsServer> StartAsync(
        ITunnelEnd end, DiagnosticsOptions options, ILoggerFactory loggers, CancellationToken cancel)
    {
        // Nothing but what is said here: no settings from the environment, no files.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, options.Listen));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(loggers);
        WebApplication app = builder.Build();
        var sampler = new StatusSampler(end, options.Version);
        try
        {
            app.Use(new Door(options.Token).EnterAsync);
            app.UseRouting();
            new Endpoints(end, options, sampler).Map(app);
            await app.StartAsync(cancel).ConfigureAwait(false);
            string bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
            return new DiagnosticsServer(app, sampler, new IPEndPoint(options.Listen.Address, new Uri(bound).Port));
        }
        catch
        {
            sampler.Dispose();
            await app.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public Task StopAsync(CancellationToken cancel) => _app.StopAsync(cancel);

    public async ValueTask DisposeAsync()
    {
        _sampler.Dispose();
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private static void Configure(KestrelServerOptions kestrel, IPEndPoint listen)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        kestrel.Limits.MaxRequestBodySize = 0;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Listen(listen, endPoint => endPoint.Protocols = HttpProtocols.Http1);
    }
}

/// <summary>What the HTTP server needs to know.</summary>
/// <param name="Listen">Port 0 is any free one.</param>
/// <param name="Token">What visitors must present; null: nothing.</param>
/// <param name="Version">The program's.</param>
/// <param name="ShownConfig">The configuration in force, without secrets.</param>
public sealed record DiagnosticsOptions(IPEndPoint Listen, Secret? Token, string Version, Func<string> ShownConfig);
