using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>What a server does with a stream that a peer opened: reads its header within a time, and does what it asks.</summary>
public sealed partial class StreamServer : IRelayOwner
{
    private readonly Dialer _dialer;
    private readonly Func<TimeSpan> _headerTimeout;
    private readonly Target? _fixedTarget;
    private readonly UdpServing _udp;
    private readonly ReverseListeners _reverse;
    private readonly ILogger _logger;
    private readonly CancellationToken _stop;
    private readonly RateLimitedLog _failed;
    private readonly RateLimitedLog _dialFailed;
    private readonly RateLimitedLog _denied;
    private long _headerFailures;
    private int _active;
    private volatile bool _draining;

    /// <param name="dialer">Reaches the targets.</param>
    /// <param name="headerTimeout">A stream whose header has not come by then is closed; the setting now.</param>
    /// <param name="fixedTarget">Where every stream goes when the peer knows no headers (kcptun); otherwise null.</param>
    /// <param name="udp">How datagrams are relayed.</param>
    /// <param name="reverse">The listeners that clients ask for.</param>
    /// <param name="logger">Where a user sees what was refused.</param>
    /// <param name="stop">Ends every relay.</param>
    public StreamServer(
        Dialer dialer,
        Func<TimeSpan> headerTimeout,
        Target? fixedTarget,
        UdpServing udp,
        ReverseListeners reverse,
        ILogger logger,
        CancellationToken stop)
    {
        _dialer = dialer;
        _headerTimeout = headerTimeout;
        _fixedTarget = fixedTarget;
        _udp = udp;
        _reverse = reverse;
        _stop = stop;
        _logger = logger;
        _failed = new RateLimitedLog(logger, "streams that failed");
        _dialFailed = new RateLimitedLog(logger, "targets that could not be connected to");
        _denied = new RateLimitedLog(logger, "denied targets");
    }

    /// <summary>Where it counts when a bound is reached.</summary>
    public LimitMeter? Limits { get; init; }

    /// <summary>How connecting to targets went.</summary>
    public DialMeter Dials { get; init; } = new();

    /// <summary>Streams being served.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>Streams closed because their header did not come, or was not one.</summary>
    public long HeaderFailures => Interlocked.Read(ref _headerFailures);

    /// <summary>Whatever streams ask for from now on is refused, in a way that lets a client of ours ask elsewhere.</summary>
    public void BeginDrain() => _draining = true;

    /// <summary>Takes charge of a stream.</summary>
    public void Serve(TunnelStream stream) => _ = ServeAsync(stream);

    private async Task ServeAsync(TunnelStream stream)
    {
        Interlocked.Increment(ref _active);
        using Activity? serving = TunnelActivities.Serve(stream);
        try
        {
            if (await BeginAsync(stream, serving).ConfigureAwait(false))
                return;
        }
        catch (Exception e) when (e is IOException or SocketException or TimeoutException or ObjectDisposedException or OperationCanceledException)
        {
            serving?.Fail(e);
            if (_logger.IsEnabled(LogLevel.Debug) && _failed.Admits())
                LogStreamFailed(_logger, stream.Id, stream.Session.Peer, e.Message);
        }
        catch (Exception e)
        {
            serving?.Fail(e);
            DefectLog.OfProcess.Met(e, "a stream");
        }

        stream.Close();
        Interlocked.Decrement(ref _active);
    }

    void IRelayOwner.OnOver(Exception? defect)
    {
        if (defect is not null)
            DefectLog.OfProcess.Met(defect, "a stream");
        Interlocked.Decrement(ref _active);
    }

    /// <summary>True when a relay carries the stream from now on; false when it was served to its end.</summary>
    private async ValueTask<bool> BeginAsync(TunnelStream stream, Activity? serving)
    {
        if (_fixedTarget is { } target)
            return !_draining && await RelayAsync(stream, target, withResult: false, serving).ConfigureAwait(false);
        (StreamHeader header, HeaderFormat format) = await ReadHeaderAsync(stream).ConfigureAwait(false);
        serving?.SetTag("tunnel.request", header.Request.ToString()).SetTarget(header.Target);
        if (header.Request is StreamRequest.Tcp or StreamRequest.Dial && !_draining)
            return await RelayAsync(stream, header.Target, header.Request == StreamRequest.Dial, serving).ConfigureAwait(false);
        await ServeAsync(stream, header, format, serving).ConfigureAwait(false);
        return false;
    }

    private async Task ServeAsync(TunnelStream stream, StreamHeader header, HeaderFormat format, Activity? serving)
    {
        switch (header.Request)
        {
            case StreamRequest.Ping:
                await HeaderExchange.AnswerAsync(stream, new StreamHeader(StreamRequest.Pong), format).ConfigureAwait(false);
                break;
            case StreamRequest.Flags:
                stream.Session.WearFlags([.. header.Flags!]);
                break;
            case StreamRequest.Capabilities:
                stream.Session.Announced(header.Capabilities);
                var ours = new StreamHeader(StreamRequest.Capabilities, Capabilities: stream.Session.OwnCapabilities);
                await HeaderExchange.AnswerAsync(stream, ours, format).ConfigureAwait(false);
                break;
            case StreamRequest.Goodbye:
                stream.Session.Close(CloseReason.Goodbye);
                break;
            case StreamRequest.Dial when _draining:
                await SayAsync(stream, DialResult.Leaving).ConfigureAwait(false);
                break;
            case StreamRequest.Tcp or StreamRequest.Udp or StreamRequest.UdpFramed when _draining:
                throw new IOException("this server is about to stop");
            case StreamRequest.Udp or StreamRequest.UdpFramed:
                UdpFraming framing = header.Request == StreamRequest.Udp ? UdpFraming.OnePerFrame : UdpFraming.LengthPrefixed;
                await RelayDatagramsAsync(stream, header.Target, framing, serving).ConfigureAwait(false);
                break;
            case StreamRequest.Reverse:
                await _reverse.ServeAsync(stream, header).ConfigureAwait(false);
                break;
            default:
                throw new IOException($"the peer asks for {header.Request}, which this version does not do");
        }
    }

    private async ValueTask<ReceivedHeader> ReadHeaderAsync(TunnelStream stream)
    {
        ValueTask<ReceivedHeader?> receiving = HeaderExchange.ReceiveAsync(stream);
        // It comes with the stream's beginning as a rule.
        await using Timer? timer = receiving.IsCompleted
            ? null
            : new Timer(s => OnHeaderTimeout((TunnelStream)s!), stream, _headerTimeout(), Timeout.InfiniteTimeSpan);
        if (await receiving.ConfigureAwait(false) is { } received)
            return received;
        // A stream that is opened and closed again without a word is how some peers check that the session lives.
        Interlocked.Increment(ref _headerFailures);
        throw new IOException("no valid stream header came");
    }

    /// <summary>Closing is what ends a read that waits.</summary>
    private void OnHeaderTimeout(TunnelStream stream)
    {
        Limits?.Strike(LimitKind.HeaderTimeout, "a stream that had not said where it goes was closed");
        stream.Close();
    }

    /// <summary>True when a relay carries the stream from now on.</summary>
    private async ValueTask<bool> RelayAsync(TunnelStream stream, Target target, bool withResult, Activity? serving)
    {
        stream.ReadBytes();
        stream.Use = new StreamUse(withResult ? StreamRequest.Dial : StreamRequest.Tcp, target);
        long start = Stopwatch.GetTimestamp();
        TcpSocket socket;
        try
        {
            socket = await DialWatch.DialAsync(_dialer, target, stream, _stop).ConfigureAwait(false);
            Dials.Count(DialResult.Connected, Stopwatch.GetElapsedTime(start));
        }
        catch (Exception e) when (e is SocketException or TimeoutException or TargetDeniedException)
        {
            Dials.Count(Dialer.ResultOf(e), Stopwatch.GetElapsedTime(start));
            LogNotConnected(stream, target, e);
            serving?.Fail(e);
            if (withResult)
                await SayAsync(stream, Dialer.ResultOf(e)).ConfigureAwait(false);
            return false;
        }

        serving?.Stop();
        stream.TellSetUp();
        new Relay(socket, stream, isClient: false).Start(this, _stop, withResult ? DialAnswer.Connected : default);
        return true;
    }

    private void LogNotConnected(TunnelStream stream, Target target, Exception e)
    {
        if (e is TargetDeniedException && _denied.Admits())
            LogDenied(_logger, target, stream.Session.Peer);
        else if (e is not TargetDeniedException && _dialFailed.Admits())
            LogDialFailed(_logger, target, stream.Session.Peer, e.Message);
    }

    private async Task RelayDatagramsAsync(TunnelStream stream, Target target, UdpFraming framing, Activity? serving)
    {
        if (!framing.Begin(stream))
            throw new IOException("too many datagrams came before the header had been read");
        stream.Use = new StreamUse(StreamRequest.Udp, target);
        DatagramSocket socket;
        try
        {
            IPEndPoint address = await _dialer.ResolveFirstAsync(target, _stop).ConfigureAwait(false);
            socket = DatagramSocket.ConnectTo(address);
        }
        catch (Exception e) when (e is SocketException or TimeoutException or TargetDeniedException)
        {
            LogNotConnected(stream, target, e);
            serving?.Fail(e);
            return;
        }

        serving?.Stop();
        stream.TellSetUp();
        await new UdpRelay(new OpenedUdp(stream, framing), socket, _udp.Limits().Idle, _udp.Meter).RunAsync(_stop).ConfigureAwait(false);
    }

    private static Task SayAsync(TunnelStream stream, DialResult refusal) => HeaderExchange.AnswerAsync(stream, (byte)refusal, isLast: true);

    [LoggerMessage(Level = LogLevel.Debug, Message = "stream {Id} of {Peer}: {Problem}")]
    private static partial void LogStreamFailed(ILogger logger, uint id, Protocol.Wire.Endpoint peer, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "could not connect to {Target} for {Peer}: {Problem}")]
    private static partial void LogDialFailed(ILogger logger, Target target, Protocol.Wire.Endpoint peer, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Target} is denied to {Peer} by [targets]")]
    private static partial void LogDenied(ILogger logger, Target target, Protocol.Wire.Endpoint peer);
}
