using System.Runtime.InteropServices;

namespace Tunnel.Ctl.TuneLoop;

/// <summary>Everything that asks a process to end cancels instead: what was changed is to be undone first.</summary>
internal sealed class EndSignals : IDisposable
{
    private static readonly PosixSignal[] Signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT];

    private readonly CancellationTokenSource _ended;
    private readonly PosixSignalRegistration[] _registrations;

    /// <param name="cancel">Ends it as well.</param>
    public EndSignals(CancellationToken cancel)
    {
        _ended = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        _registrations = [.. Signals.Select(signal => PosixSignalRegistration.Create(signal, Take))];
    }

    public CancellationToken Token => _ended.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _ended.Dispose();
    }

    private void Take(PosixSignalContext context)
    {
        context.Cancel = true;
        _ended.Cancel();
    }
}
