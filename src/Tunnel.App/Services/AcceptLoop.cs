using System.Net.Sockets;
using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;

namespace Tunnel.App.Services;

/// <summary>Takes connections off one socket for as long as it is open. No error of an accept ends it.</summary>
/// <param name="accept">Waits for a connection.</param>
/// <param name="serve">Takes charge of it, and returns soon.</param>
/// <param name="failed">Is told of errors.</param>
/// <param name="pause">Gives others the time to close theirs when descriptors or buffers are used up.</param>
internal sealed class AcceptLoop(
    Func<CancellationToken, ValueTask<TcpSocket>> accept,
    Action<TcpSocket> serve,
    Action<SocketError> failed,
    Func<Task> pause)
{
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                Serve(await accept(stop).ConfigureAwait(false));
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.OperationAborted)
            {
                // Disposed while it waited.
                return;
            }
            catch (SocketException e)
            {
                failed(e.SocketErrorCode);
                // EMFILE, ENFILE, ENOBUFS: the connection still waits and would fail again at once. One that its own side gave up is gone.
                if (e.SocketErrorCode is not (SocketError.ConnectionAborted or SocketError.ConnectionReset))
                    await pause().ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Serve(TcpSocket socket)
    {
        try
        {
            serve(socket);
        }
        catch (Exception defect)
        {
            socket.Reset();
            DefectLog.OfProcess.Met(defect, "a connection");
        }
    }
}
