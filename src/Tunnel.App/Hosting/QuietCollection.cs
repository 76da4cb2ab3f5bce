using Microsoft.Extensions.Hosting;
using Tunnel.App.Runtime.Traffic;

namespace Tunnel.App.Hosting;

/// <summary>
/// Has what thousands of streams left behind collected once it is quiet. The collector comes when something is allocated, and whoever is quiet
/// allocates nothing: tens of megabytes would be kept for as long as nobody comes.
/// </summary>
internal sealed class QuietCollection(TrafficLedger ledger) : IHostedService, IDisposable
{
    /// <summary>Between two looks. Long enough for sessions to have given back the blocks and rings that they kept.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    /// <summary>Streams that leave enough behind.</summary>
    private const long ManyStreams = 2048;

    /// <summary>It is quiet while no more comes and goes between two looks: a pause of some tens of milliseconds holds up nobody then.</summary>
    private const long FewStreams = 16;

    private const long FewBytes = 64 * 1024;

    private Timer? _timer;
    private Seen _last;
    private long _collected;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = new Timer(_ => Look(), null, Interval, Interval);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _timer?.Dispose();

    /// <summary>Whether now is the time.</summary>
    internal bool IsDue(Seen now)
    {
        Seen last = _last;
        _last = now;
        bool isQuiet = now.Opened - last.Opened <= FewStreams && Math.Abs(now.Open - last.Open) <= FewStreams && now.Bytes - last.Bytes <= FewBytes;
        if (!isQuiet)
            return false;
        bool isDue = now.Ended - _collected >= ManyStreams && now.Collections == last.Collections;
        // Else the collector has come by itself since they ended.
        if (isDue || now.Collections != last.Collections)
            _collected = now.Ended;
        return isDue;
    }

    private void Look()
    {
        TrafficTotals totals = ledger.Read();
        long open = ledger.GetSessions().Sum(s => (long)s.StreamCount);
        long bytes = totals.Sessions.Mux.BytesSent + totals.Sessions.Mux.BytesReceived;
        // Compacting, but not "aggressive": that moves the ballast, too, and so touches it for the first time.
        if (IsDue(new Seen(totals.Sessions.Mux.Opened + totals.Sessions.Mux.Accepted, open, bytes, GC.CollectionCount(GC.MaxGeneration))))
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
    }

    /// <param name="Opened">Streams so far, by either end.</param>
    /// <param name="Open">Those that are open.</param>
    /// <param name="Bytes">What streams have carried so far.</param>
    /// <param name="Collections">Of all generations, so far.</param>
    internal readonly record struct Seen(long Opened, long Open, long Bytes, int Collections)
    {
        public long Ended => Opened - Open;
    }
}
