
namespace Tunnel.Ctl.Bench.Workloads;

/// <summary>
/// A new connection each time. With an echo server as target one byte goes there and back, which shows that the connection goes
/// all the way: the near end of a forward accepts before the far end has dialled.
/// </summary>
/// <param name="route">The way there.</param>
/// <param name="echo">Send the byte and wait for it.</param>
internal sealed class ConnectWorkload(Route route, bool echo) : StreamWorkload(route)
{
    private readonly byte[] _byte = new byte[1];

    protected override async ValueTask<long> OperateAsync(BenchSocket socket)
    {
        if (echo)
        {
            await socket.SendAsync(_byte).ConfigureAwait(false);
            await socket.ReceiveAsync(_byte).ConfigureAwait(false);
        }

        Hang();
        return echo ? 2 : 0;
    }
}
