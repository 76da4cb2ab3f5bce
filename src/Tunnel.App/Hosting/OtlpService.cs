using Microsoft.Extensions.Hosting;
using Tunnel.App.Config;
using Tunnel.App.Diagnostics.Otlp;

namespace Tunnel.App.Hosting;

/// <summary>Sends metrics and traces to a collector for as long as the process runs. Made only where the file names one.</summary>
internal sealed class OtlpService(OtlpConfig config, string service) : IHostedService
{
    private OtlpExport? _export;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _export = new OtlpExport(config, service, TunnelProgram.Version);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.Run(() => _export?.Dispose(), CancellationToken.None);
}
