using System.Diagnostics;

namespace Tunnel.Ctl.Bench.Workloads;

/// <summary>A workload over one TCP connection at a time.</summary>
internal abstract class StreamWorkload(Route route) : IWorkload
{
    private readonly Lock _lock = new();
    private BenchSocket? _socket;
    private bool _aborted;

    public async ValueTask<long> OperateAsync(LatencyHistogram connect, bool isMeasured)
    {
        BenchSocket socket = _socket ?? await ConnectAsync(connect, isMeasured).ConfigureAwait(false);
        return await OperateAsync(socket).ConfigureAwait(false);
    }

    public void Reset()
    {
        lock (_lock)
        {
            _socket?.Dispose();
            _socket = null;
            _aborted = false;
        }
    }

    public void Abort()
    {
        BenchSocket? socket;
        lock (_lock)
        {
            _aborted = true;
            socket = _socket;
        }

        // Whoever waits for it goes on within this.
        socket?.Dispose();
    }

    public void Dispose() => Abort();

    protected abstract ValueTask<long> OperateAsync(BenchSocket socket);

    /// <summary>The connection has served its purpose.</summary>
    protected void Hang() => Reset();

    /// <summary>What goes over a new connection before it is used.</summary>
    protected virtual ValueTask PrepareAsync(BenchSocket socket) => ValueTask.CompletedTask;

    private async ValueTask<BenchSocket> ConnectAsync(LatencyHistogram connect, bool isMeasured)
    {
        long start = Stopwatch.GetTimestamp();
        BenchSocket socket = await route.ConnectAsync(Take).ConfigureAwait(false);
        if (isMeasured)
            connect.Record((long)Stopwatch.GetElapsedTime(start).TotalNanoseconds);
        await PrepareAsync(socket).ConfigureAwait(false);
        return socket;
    }

    private void Take(BenchSocket socket)
    {
        lock (_lock)
        {
            _socket?.Dispose();
            _socket = socket;
            if (_aborted)
                socket.Dispose();
        }
    }
}
