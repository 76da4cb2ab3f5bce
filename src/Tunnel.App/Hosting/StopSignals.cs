using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace Tunnel.App.Hosting;

/// <summary>
/// Counts the signals that ask for an end. The first is the host's: it begins an orderly stop. The second ends the wait for what still
/// runs, and if even that takes long, the process.
/// </summary>
internal sealed class StopSignals(IHostApplicationLifetime lifetime) : IHostedService, IDisposable
{
    /// <summary>Closing takes goodbyes of a fifth of a second and firewall rules of somewhat more.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _hurry = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _count;
    private Timer? _end;

    /// <summary>Cancelled by the second signal.</summary>
    public CancellationToken Hurry => _hurry.Token;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal));
        // Asks for a reload, and for nothing while there is nobody to do it, as in a stop's grace: never for an end without goodbyes.
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _registrations.ForEach(r => r.Dispose());
        _end?.Dispose();
        _hurry.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _count) != 2)
        {
            lifetime.StopApplication();
            return;
        }

        _end = new Timer(_ => Environment.Exit(ExitCode.Hurried), null, Patience, Timeout.InfiniteTimeSpan);
        _hurry.Cancel();
    }
}
