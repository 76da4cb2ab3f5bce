using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Tunnel.App.Config;
using Tunnel.App.Hosting;
using Tunnel.App.Runtime;

namespace Tunnel.Tests.Hosting;

public sealed class ConfigReloaderTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("config-reloader");

    private string FileName => Path.Combine(_folder.FullName, "server.toml");

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>What the tunnel carries does not end because a change could not be followed; the next one is followed again.</summary>
    [Fact(Timeout = 60_000)]
    public async Task ADefectEndsTheReloadAndNothingElse()
    {
        Write(level: "info");
        long defects = DefectLog.OfProcess.Count;
        TaskCompletionSource first = new(), second = new();
        using var reloader = new ConfigReloader<ServerConfig>(
            ConfigLoader.LoadServer(FileName),
            ConfigLoader.LoadServer,
            _ =>
            {
                if (first.TrySetResult())
                    throw new InvalidOperationException("a defect");
                second.TrySetResult();
            },
            _ => { },
            new SystemdNotifier(new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance)),
            NullLogger.Instance);
        await reloader.StartAsync(TestContext.Current.CancellationToken);
        Write(level: "debug");
        await first.Task;
        Write(level: "trace");
        await second.Task;
        Assert.NotEqual(defects, DefectLog.OfProcess.Count);
    }

    private void Write(string level) => File.WriteAllText(FileName, $"[listen]\nport=1\n[transport.kcp]\nkey='k'\n[log]\nlevel='{level}'\n");
}
