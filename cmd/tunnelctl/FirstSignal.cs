using System.Runtime.InteropServices;

namespace Tunnel.Ctl;

/// <summary>
/// What asks the program to end cancels what it does, and nothing more: what a verb has set up (a knob, namespaces, rules) is undone however
/// often Ctrl-C is pressed. Only what does not end by itself is ended after a while.
/// </summary>
internal sealed class FirstSignal : IDisposable
{
    private const int FirstExitCode = 128;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;
    private Timer? _end;

    public FirstSignal() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Take(context, 2)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Take(context, 15)),
        // A terminal that is closed, or lost with its connection.
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Take(context, 1)),
    ];

    /// <summary>The first signal has come.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>The signals stay caught: the program is at its end, and what it printed is its result.</summary>
    public void Dispose()
    {
        _end?.Dispose();
        GC.KeepAlive(_registrations);
    }

    private void Take(PosixSignalContext context, int number)
    {
        context.Cancel = true;
        if (_stop.IsCancellationRequested)
            return;
        _end = new Timer(_ => Environment.Exit(FirstExitCode + number), null, Patience, Timeout.InfiniteTimeSpan);
        _stop.Cancel();
    }
}
