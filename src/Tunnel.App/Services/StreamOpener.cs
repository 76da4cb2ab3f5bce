using Tunnel.App.Runtime;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>Opens streams to targets through a client's sessions.</summary>
/// <param name="pool">The sessions.</param>
/// <param name="timeout">For how long a stream that its session lost before it began is opened anew.</param>
/// <param name="writeHeader">False where the peer dials one fixed target and knows no headers (kcptun).</param>
public sealed class StreamOpener(ConnectionPool pool, TimeSpan timeout, bool writeHeader)
{
    /// <summary>
    /// A stream to a target. With peers that say how the dial went, it is connected; with others the server was asked, no more.
    /// </summary>
    /// <exception cref="TunnelUnavailableException">There is no session within the open timeout.</exception>
    /// <exception cref="TunnelClosedException">The session ended meanwhile, again and again.</exception>
    /// <exception cref="DialException">The server could not reach the target.</exception>
    public async ValueTask<TunnelStream> OpenAsync(Target target, CancellationToken cancel)
    {
        long giveUpAt = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        while (true)
        {
            TunnelStream stream = await pool.OpenStreamAsync(cancel).ConfigureAwait(false);
            try
            {
                if (writeHeader)
                    await AskAsync(stream, target).ConfigureAwait(false);
                return stream;
            }
            catch (TunnelClosedException) when (Environment.TickCount64 < giveUpAt)
            {
                // Nothing of the application's has been sent: another session will do.
            }
            catch
            {
                stream.Close();
                throw;
            }
        }
    }

    private static async ValueTask AskAsync(TunnelStream stream, Target target)
    {
        bool withResult = stream.Session.PeerCapabilities.HasFlag(Capabilities.DialResult);
        byte[] buffer = new byte[StreamHeader.MaximumLength];
        int length = new StreamHeader(withResult ? StreamRequest.Dial : StreamRequest.Tcp, target).Write(buffer);
        await stream.WriteAsync(buffer.AsMemory(0, length)).ConfigureAwait(false);
        if (!withResult)
            return;
        int count = await stream.ReadAsync(buffer.AsMemory(0, 1)).ConfigureAwait(false);
        var result = (DialResult)(count == 0 ? (byte)DialResult.Failed : buffer[0]);
        if (result != DialResult.Connected)
            throw new DialException(target, result);
    }
}

/// <summary>The server could not reach the target.</summary>
public sealed class DialException(Target target, DialResult result) : IOException($"the server could not connect to {target}: {result}")
{
    public DialResult Result { get; } = result;
}
