
namespace Tunnel.Ctl.Bench.Workloads;

/// <summary>A connection that is opened, used for one byte there and back, and then held, idle, until the window closes.</summary>
internal sealed class HoldWorkload(Route route) : StreamWorkload(route)
{
    private readonly byte[] _byte = new byte[1];
    private BenchSocket? _held;

    protected override async ValueTask<long> OperateAsync(BenchSocket socket)
    {
        if (ReferenceEquals(_held, socket))
        {
            // Nothing comes: this ends when the window does, or when the connection is lost.
            await socket.ReceiveAsync(_byte).ConfigureAwait(false);
            throw new LoadException(LoadError.Wrong, "the target spoke unasked");
        }

        await socket.SendAsync(_byte).ConfigureAwait(false);
        await socket.ReceiveAsync(_byte).ConfigureAwait(false);
        _held = socket;
        return 2;
    }
}
