using System.Diagnostics;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Pool;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>Opens streams to targets through a client's sessions.</summary>
/// <param name="pool">The sessions.</param>
/// <param name="timeout">For how long a stream that its session lost before it began is opened anew.</param>
/// <param name="format">How the server reads headers; null where it dials one fixed target and knows none (kcptun).</param>
/// <param name="frameUdp">False: datagrams are told apart as paqet does it even with peers that know better.</param>
public sealed class StreamOpener(ConnectionPool pool, TimeSpan timeout, HeaderFormat? format, bool frameUdp = true)
{
    private TargetHeaders? _last;

    /// <summary>What the server said of its dials, and how long that took, the way there and back included.</summary>
    public DialMeter Dials { get; init; } = new();

    internal ConnectionPool Pool => pool;

    internal TimeSpan Timeout => timeout;

    internal HeaderFormat? Format => format;

    /// <summary>
    /// A stream to a target. With peers that say how the dial went, it is connected; with others the server was asked, no more.
    /// </summary>
    /// <exception cref="TunnelUnavailableException">There is no session within the open timeout.</exception>
    /// <exception cref="TunnelClosedException">The session ended meanwhile, again and again.</exception>
    /// <exception cref="DialException">The server could not reach the target.</exception>
    /// <exception cref="OperationCanceledException">Nobody wants it any more; the server has been told.</exception>
    public Task<TunnelStream> OpenAsync(Target target, CancellationToken cancel) => OpenAsync(target, null, endIsLeaving: false, cancel);

    /// <summary>As <see cref="OpenAsync(Target, CancellationToken)"/>, for an application, which may leave meanwhile.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="socket">The application's; null: there is none to watch.</param>
    /// <param name="endIsLeaving">As <see cref="StreamOpening.EndIsLeaving"/>.</param>
    /// <param name="cancel">Gives up.</param>
    internal Task<TunnelStream> OpenAsync(Target target, TcpSocket? socket, bool endIsLeaving, CancellationToken cancel)
    {
        var opened = new OpenedStream();
        new StreamOpening(this, HeadersFor(target), opened) { Socket = socket, EndIsLeaving = endIsLeaving, Stop = cancel }.Start();
        return opened.Task;
    }

    /// <summary>The headers of streams to a target: those of the last stream, as a rule.</summary>
    internal TargetHeaders HeadersFor(Target target)
    {
        TargetHeaders? last = Volatile.Read(ref _last);
        if (last?.Target == target)
            return last;
        var headers = new TargetHeaders(target, format ?? default);
        Volatile.Write(ref _last, headers);
        return headers;
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

    /// <summary>The end of one opening as a task.</summary>
    private sealed class OpenedStream : IOpeningOwner
    {
        private readonly TaskCompletionSource<TunnelStream> _opened = new();

        public Task<TunnelStream> Task => _opened.Task;

        public void OnOpened(StreamOpening opening, TunnelStream stream) => _opened.SetResult(stream);

        public void OnFailed(StreamOpening opening, Exception why) => _opened.SetException(why);
    }
}

/// <summary>The server could not reach the target.</summary>
public sealed class DialException(Target target, DialResult result) : IOException($"the server could not connect to {target}: {result}")
{
    public DialResult Result { get; } = result;
}
