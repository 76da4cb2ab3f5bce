
namespace Tunnel.Ctl.Bench.Workloads;

/// <summary>Sends a message to an echo server and waits until all of it is back.</summary>
/// <param name="route">The way there.</param>
/// <param name="size">Bytes of a message.</param>
internal sealed class EchoWorkload(Route route, int size) : StreamWorkload(route)
{
    private readonly byte[] _sent = Random.Shared.GetItems(Payload.Alphabet, size);
    private readonly byte[] _received = new byte[size];

    protected override async ValueTask<long> OperateAsync(BenchSocket socket)
    {
        Payload.Stamp(_sent);
        await socket.SendAsync(_sent).ConfigureAwait(false);
        await socket.ReceiveAsync(_received).ConfigureAwait(false);
        return _received.AsSpan().SequenceEqual(_sent)
            ? 2L * size
            : throw new LoadException(LoadError.Wrong, "other bytes came back than were sent: is the target an echo server?");
    }
}
