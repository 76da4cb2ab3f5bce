using System.Diagnostics;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Pool;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>Opens streams to targets through a client's sessions.</summary>
/// <param name="pool">The sessions.</param>
/// <param name="timeout">For how long a stream that its session lost before it began is opened anew.</param>
/// <param name="format">How the server reads headers; null where it dials one fixed target and knows none (kcptun).</param>
/// <param name="frameUdp">False: datagrams are told apart as paqet does it even with peers that know better.</param>
public sealed class StreamOpener(ConnectionPool pool, TimeSpan timeout, HeaderFormat? format, bool frameUdp = true)
{
    /// <summary>What the server said of its dials, and how long that took, the way there and back included.</summary>
    public DialMeter Dials { get; init; } = new();

    /// <summary>
    /// A stream to a target. With peers that say how the dial went, it is connected; with others the server was asked, no more.
    /// </summary>
    /// <exception cref="TunnelUnavailableException">There is no session within the open timeout.</exception>
    /// <exception cref="TunnelClosedException">The session ended meanwhile, again and again.</exception>
    /// <exception cref="DialException">The server could not reach the target.</exception>
    /// <exception cref="OperationCanceledException">Nobody wants it any more; the server has been told.</exception>
    public ValueTask<TunnelStream> OpenAsync(Target target, CancellationToken cancel)
    {
        Activity? opening = TunnelActivities.Open(target, "tcp");
        ValueTask<TunnelStream> stream = OpenWhereverAsync(target, opening, cancel);
        // Hardly ever does anybody trace, and each layer that waits costs.
        return opening is null ? stream : TraceAsync(stream, opening);
    }

    private static async ValueTask<TunnelStream> TraceAsync(ValueTask<TunnelStream> stream, Activity opening)
    {
        using Activity traced = opening;
        try
        {
            return await stream.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            opening.Fail(e);
            throw;
        }
    }

    private async ValueTask<TunnelStream> OpenWhereverAsync(Target target, Activity? opening, CancellationToken cancel)
    {
        long giveUpAt = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        while (true)
        {
            TunnelStream stream = await pool.OpenStreamAsync(cancel).ConfigureAwait(false);
            // Before anything can go wrong: by this the server's trace of it is found.
            opening?.SetStream(stream);
            stream.Use = new StreamUse(StreamRequest.Tcp, target);
            try
            {
                if (format is not { } known || await AskAsync(stream, target, known, cancel).ConfigureAwait(false))
                {
                    stream.TellSetUp();
                    return stream;
                }

                // Its server fell silent, and the stream was closed to be opened elsewhere.
                if (Environment.TickCount64 >= giveUpAt)
                    throw new TunnelUnavailableException($"no server has answered within {timeout.TotalSeconds:0.#} s");
            }
            catch (TunnelClosedException) when (Environment.TickCount64 < giveUpAt)
            {
                // Nothing of the application's has been sent: another session will do.
            }
            catch (DialException e) when (e.Result == DialResult.Leaving && Environment.TickCount64 < giveUpAt)
            {
                // The announcement may still be on its way.
                stream.Session.OnPeerDrains();
                stream.Close();
            }
            catch
            {
                stream.Close();
                throw;
            }
        }
    }

    /// <summary>Says where the stream goes, and waits for the dial's result if the peer tells it; false when the stream was moved.</summary>
    private async ValueTask<bool> AskAsync(TunnelStream stream, Target target, HeaderFormat known, CancellationToken cancel)
    {
        using PendingOpen pending = pool.Await(stream);
        // Closing is what ends a read that waits.
        using CancellationTokenRegistration registration = cancel.UnsafeRegister(static s => ((TunnelStream)s!).Close(), stream);
        try
        {
            bool withResult = stream.Session.PeerCapabilities.HasFlag(Capabilities.DialResult);
            var header = new StreamHeader(withResult ? StreamRequest.Dial : StreamRequest.Tcp, target);
            long start = Stopwatch.GetTimestamp();
            // The other formats have no word for it, and whoever announced it reads them all.
            ValueTask sending = HeaderExchange.SendAsync(stream, header, withResult ? HeaderFormat.V1 : known);
            if (withResult)
            {
                // Whoever answers has read it: two waits become one. Waited for here, as each method that waits is an object a connection.
                byte? answer;
                while (!HeaderExchange.TryReceiveByte(stream, out answer))
                    await stream.WaitForNewsAsync().ConfigureAwait(false);
                cancel.ThrowIfCancellationRequested();
                RequireConnected(target, (DialResult)(answer ?? (byte)DialResult.Failed), Stopwatch.GetElapsedTime(start));
            }

            await sending.ConfigureAwait(false);
            return !pending.Moved;
        }
        catch (IOException e) when (pending.Moved && e is not DialException { Result: not DialResult.Failed })
        {
            return false;
        }
    }

    private void RequireConnected(Target target, DialResult result, TimeSpan took)
    {
        Dials.Count(Enum.IsDefined(result) ? result : DialResult.Failed, took);
        if (result != DialResult.Connected)
            throw new DialException(target, result);
    }

    /// <summary>Opens a stream of datagrams.</summary>
    /// <exception cref="TunnelUnavailableException">There is no session within the open timeout.</exception>
    /// <exception cref="TunnelClosedException">The session ended meanwhile.</exception>
    /// <exception cref="IOException">Nobody wants it any more.</exception>
    public async ValueTask<OpenedUdp> OpenUdpAsync(Target target, CancellationToken cancel)
    {
        using Activity? opening = TunnelActivities.Open(target, "udp");
        try
        {
            OpenedUdp opened = await AskUdpAsync(target, opening, cancel).ConfigureAwait(false);
            opened.Stream.TellSetUp();
            return opened;
        }
        catch (Exception e)
        {
            opening?.Fail(e);
            throw;
        }
    }

    private async ValueTask<OpenedUdp> AskUdpAsync(Target target, Activity? opening, CancellationToken cancel)
    {
        TunnelStream stream = await pool.OpenStreamAsync(cancel).ConfigureAwait(false);
        opening?.SetStream(stream);
        pool.MayMove(stream);
        stream.Use = new StreamUse(StreamRequest.Udp, target);
        bool framed = frameUdp && stream.Session.PeerCapabilities.HasFlag(Capabilities.FramedUdp);
        UdpFraming framing = framed ? UdpFraming.LengthPrefixed : UdpFraming.OnePerFrame;
        framing.Begin(stream);
        var header = new StreamHeader(framed ? StreamRequest.UdpFramed : StreamRequest.Udp, target);
        // Closing is what ends a write that waits.
        using CancellationTokenRegistration registration = cancel.UnsafeRegister(static s => ((TunnelStream)s!).Close(), stream);
        try
        {
            await HeaderExchange.SendAsync(stream, header, framed ? HeaderFormat.V1 : format ?? default).ConfigureAwait(false);
        }
        catch
        {
            stream.Close();
            throw;
        }

        return new OpenedUdp(stream, framing);
    }
}

/// <summary>The server could not reach the target.</summary>
public sealed class DialException(Target target, DialResult result) : IOException($"the server could not connect to {target}: {result}")
{
    public DialResult Result { get; } = result;
}
