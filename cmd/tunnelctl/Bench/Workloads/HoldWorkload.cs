using System.Net.Sockets;

namespace Tunnel.Ctl.Bench.Workloads;

/// <summary>A connection that is opened, used for one byte there and back, and then held, idle, until the window closes.</summary>
internal sealed class HoldWorkload(Route route) : StreamWorkload(route)
{
    private readonly byte[] _byte = new byte[1];
    private Socket? _held;

    protected override async ValueTask<long> OperateAsync(Socket socket)
    {
        if (ReferenceEquals(_held, socket))
        {
            // Nothing comes: this ends when the window does, or when the connection is lost.
            await SocketBytes.ReceiveAsync(socket, _byte).ConfigureAwait(false);
            throw new LoadException(LoadError.Wrong, "the target spoke unasked");
        }

        await SocketBytes.SendAsync(socket, _byte).ConfigureAwait(false);
        await SocketBytes.ReceiveAsync(socket, _byte).ConfigureAwait(false);
        _held = socket;
        return 2;
    }
}
