
namespace Tunnel.Ctl.Bench.Workloads;

/// <summary>One direction as fast as it goes. An operation is one socket call's bytes; the target is `bench serve`.</summary>
/// <param name="route">The way there.</param>
/// <param name="direction">Which way the bytes go.</param>
internal sealed class BulkWorkload(Route route, BulkDirection direction) : StreamWorkload(route)
{
    private const int BufferSize = 256 * 1024;

    private readonly byte[] _buffer = Payload.Random(BufferSize);

    protected override ValueTask PrepareAsync(BenchSocket socket) => socket.SendAsync(new[] { (byte)direction });

    protected override async ValueTask<long> OperateAsync(BenchSocket socket)
    {
        if (direction == BulkDirection.Up)
        {
            await socket.SendAsync(_buffer).ConfigureAwait(false);
            return BufferSize;
        }

        int count = await socket.ReceiveSomeAsync(_buffer).ConfigureAwait(false);
        return count != 0 ? count : throw new LoadException(LoadError.Closed, "the target ended the stream");
    }
}

/// <summary>The first byte of a bulk connection says it.</summary>
internal enum BulkDirection : byte
{
    /// <summary>From the target.</summary>
    Down = (byte)'D',

    /// <summary>To the target.</summary>
    Up = (byte)'U',
}
