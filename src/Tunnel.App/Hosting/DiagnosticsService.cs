using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Diagnostics;
using Tunnel.App.Diagnostics.Http;
using Tunnel.App.Diagnostics.Metering;

namespace Tunnel.App.Hosting;

/// <summary>The process shows itself: its meter always, over HTTP when [debug] says where.</summary>
/// <param name="end">What is shown.</param>
/// <param name="config">Where, and to whom.</param>
/// <param name="shownConfig">The configuration in force, without secrets.</param>
/// <param name="loggers">Where a user sees what is wrong.</param>
internal sealed partial class DiagnosticsService(ITunnelEnd end, DebugConfig config, Func<string> shownConfig, ILoggerFactory loggers)
    : IHostedService, IAsyncDisposable
{
    private readonly TunnelMeter _meter = new(end);
    private readonly ILogger _logger = loggers.CreateLogger("tunnel");
    private DiagnosticsServer? _server;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (config.Listen is not { } listen)
            return;
        var about = new DiagnosticsOptions(listen, config.Token, TunnelProgram.Version, shownConfig);
        try
        {
            _server = await DiagnosticsServer.StartAsync(end, about, loggers, cancellationToken).ConfigureAwait(false);
            IPEndPoint address = _server.Address;
            LogListening(_logger, address);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw Explain(listen, e);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => _server?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _meter.Dispose();
        if (_server is not null)
            await _server.DisposeAsync().ConfigureAwait(false);
    }

    private static StartException Explain(IPEndPoint listen, Exception e) => e switch
    {
        IOException { InnerException: AddressInUseException } => new StartException(
            ExitCode.PortInUse,
            $"debug.pprof: {listen} is taken: `ss -ltnp 'sport = :{listen.Port}'` shows by whom"),
        SocketException { SocketErrorCode: SocketError.AccessDenied } => new StartException(
            ExitCode.Privilege,
            $"debug.pprof: no permission to listen on {listen}: ports below 1024 need root or CAP_NET_BIND_SERVICE"),
        _ => new StartException(
            ExitCode.Network,
            $"debug.pprof: cannot listen on {listen} (`ip addr` lists this host's addresses): {e.Message}"),
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "debug listens on {Address}")]
    private static partial void LogListening(ILogger logger, IPEndPoint address);
}
