using System.Diagnostics;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Ctl.Ping;

/// <summary>One round trip at a time through a session of its own, on each level.</summary>
internal sealed class PingProbe
{
    private readonly PeerSession _session;
    private readonly HeaderFormat _format;
    private readonly TimeSpan _timeout;
    private Waiting? _waiting;

    /// <param name="session">Carries nothing else.</param>
    /// <param name="link">Where its answers come in.</param>
    /// <param name="format">How the server reads stream headers.</param>
    /// <param name="timeout">After which a round trip is lost.</param>
    public PingProbe(PeerSession session, WatchedLink link, HeaderFormat format, TimeSpan timeout)
    {
        _session = session;
        _format = format;
        _timeout = timeout;
        link.Heard += OnHeard;
    }

    /// <summary>What the server said instead of PONG; empty while it has said nothing of the kind.</summary>
    public string Refusal { get; private set; } = "";

    /// <returns>How long it took; null is lost.</returns>
    public Task<TimeSpan?> RunAsync(PingLevel level, CancellationToken cancel) => level switch
    {
        PingLevel.Link => AskWindowAsync(cancel),
        PingLevel.Session => KeepAliveAsync(cancel),
        _ => StreamAsync(),
    };

    private Task<TimeSpan?> AskWindowAsync(CancellationToken cancel)
    {
        long before = Kcp.WindowTells;
        return MeasureAsync(_session.AskWindow, () => Kcp.WindowTells > before, cancel);
    }

    private Task<TimeSpan?> KeepAliveAsync(CancellationToken cancel)
    {
        long before = Kcp.SegmentsSent;
        return MeasureAsync(_session.Nudge, () => _session.GetStatus() is { InFlight: 0 } s && s.Kcp.SegmentsSent > before, cancel);
    }

    private async Task<TimeSpan?> StreamAsync()
    {
        try
        {
            return await StreamPing.RunAsync(_session, _format, _timeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return null;
        }
        catch (IOException e)
        {
            Refusal = e.Message;
            return null;
        }
    }

    private KcpCounters Kcp => _session.GetStatus().Kcp;

    private async Task<TimeSpan?> MeasureAsync(Action ask, Func<bool> answered, CancellationToken cancel)
    {
        var waiting = new Waiting(answered);
        _waiting = waiting;
        ask();
        try
        {
            return await waiting.Answer.Task.WaitAsync(_timeout, cancel).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            _waiting = null;
        }
    }

    private void OnHeard()
    {
        if (_waiting is { } waiting && waiting.Answered())
            waiting.Answer.TrySetResult(Stopwatch.GetElapsedTime(waiting.Start));
    }

    private sealed record Waiting(Func<bool> Answered)
    {
        public long Start { get; } = Stopwatch.GetTimestamp();

        public TaskCompletionSource<TimeSpan> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
