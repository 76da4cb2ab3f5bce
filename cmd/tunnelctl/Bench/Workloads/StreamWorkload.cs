using System.Diagnostics;
using System.Net.Sockets;

namespace Tunnel.Ctl.Bench.Workloads;

/// <summary>A workload over one TCP connection at a time.</summary>
internal abstract class StreamWorkload(Route route) : IWorkload
{
    private readonly Lock _lock = new();
    private Socket? _socket;
    private bool _aborted;

    public async ValueTask<long> OperateAsync(LatencyHistogram connect, bool isMeasured)
    {
        Socket socket = _socket is { Connected: true } there ? there : await ConnectAsync(connect, isMeasured).ConfigureAwait(false);
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
        lock (_lock)
        {
            _aborted = true;
            _socket?.Dispose();
        }
    }

    public void Dispose() => Abort();

    protected abstract ValueTask<long> OperateAsync(Socket socket);

    /// <summary>The connection has served its purpose.</summary>
    protected void Hang() => Reset();

    /// <summary>What goes over a new connection before it is used.</summary>
    protected virtual ValueTask PrepareAsync(Socket socket) => ValueTask.CompletedTask;

    private async ValueTask<Socket> ConnectAsync(LatencyHistogram connect, bool isMeasured)
    {
        long start = Stopwatch.GetTimestamp();
        Socket socket = await route.ConnectAsync(Take).ConfigureAwait(false);
        if (isMeasured)
            connect.Record((long)Stopwatch.GetElapsedTime(start).TotalNanoseconds);
        await PrepareAsync(socket).ConfigureAwait(false);
        return socket;
    }

    private void Take(Socket socket)
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
