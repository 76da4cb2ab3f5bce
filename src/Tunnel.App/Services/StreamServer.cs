using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>What a server does with a stream that a peer opened: reads its header within a time, and does what it asks.</summary>
public sealed partial class StreamServer
{
    private readonly Dialer _dialer;
    private readonly TimeSpan _headerTimeout;
    private readonly Target? _fixedTarget;
    private readonly UdpServing _udp;
    private readonly ILogger _logger;
    private readonly CancellationToken _stop;
    private readonly RateLimitedLog _failed;
    private readonly RateLimitedLog _dialFailed;
    private readonly RateLimitedLog _denied;
    private long _headerFailures;
    private int _active;

    /// <param name="dialer">Reaches the targets.</param>
    /// <param name="headerTimeout">A stream whose header has not come by then is closed.</param>
    /// <param name="fixedTarget">Where every stream goes when the peer knows no headers (kcptun); otherwise null.</param>
    /// <param name="udp">How datagrams are relayed.</param>
    /// <param name="logger">Where a user sees what was refused.</param>
    /// <param name="stop">Ends every relay.</param>
    public StreamServer(Dialer dialer, TimeSpan headerTimeout, Target? fixedTarget, UdpServing udp, ILogger logger, CancellationToken stop)
    {
        _dialer = dialer;
        _headerTimeout = headerTimeout;
        _fixedTarget = fixedTarget;
        _udp = udp;
        _stop = stop;
        _logger = logger;
        _failed = new RateLimitedLog(logger, "streams that failed");
        _dialFailed = new RateLimitedLog(logger, "targets that could not be connected to");
        _denied = new RateLimitedLog(logger, "denied targets");
    }

    /// <summary>How connecting to targets went.</summary>
    public DialMeter Dials { get; init; } = new();

    /// <summary>Streams being served.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>Streams closed because their header did not come, or was not one.</summary>
    public long HeaderFailures => Interlocked.Read(ref _headerFailures);

    /// <summary>Takes charge of a stream.</summary>
    public void Serve(TunnelStream stream) => _ = ServeAsync(stream);

    private async Task ServeAsync(TunnelStream stream)
    {
        Interlocked.Increment(ref _active);
        try
        {
            if (_fixedTarget is { } target)
                await RelayAsync(stream, target, withResult: false).ConfigureAwait(false);
            else
                await ServeHeaderAsync(stream).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or TimeoutException or ObjectDisposedException or OperationCanceledException)
        {
            if (_logger.IsEnabled(LogLevel.Debug) && _failed.Admits())
                LogStreamFailed(_logger, stream.Id, stream.Session.Peer, e.Message);
        }
        finally
        {
            stream.Close();
            Interlocked.Decrement(ref _active);
        }
    }

    private async Task ServeHeaderAsync(TunnelStream stream)
    {
        (StreamHeader header, HeaderFormat format) = await ReadHeaderAsync(stream).ConfigureAwait(false);
        switch (header.Request)
        {
            case StreamRequest.Ping:
                await AnswerAsync(stream, new StreamHeader(StreamRequest.Pong), format).ConfigureAwait(false);
                break;
            case StreamRequest.Flags:
                stream.Session.WearFlags([.. header.Flags!]);
                break;
            case StreamRequest.Capabilities:
                stream.Session.Announced(header.Capabilities);
                var ours = new StreamHeader(StreamRequest.Capabilities, Capabilities: stream.Session.OwnCapabilities);
                await AnswerAsync(stream, ours, format).ConfigureAwait(false);
                break;
            case StreamRequest.Goodbye:
                stream.Session.Close(CloseReason.Goodbye);
                break;
            case StreamRequest.Tcp or StreamRequest.Dial:
                await RelayAsync(stream, header.Target, withResult: header.Request == StreamRequest.Dial).ConfigureAwait(false);
                break;
            case StreamRequest.Udp or StreamRequest.UdpFramed:
                UdpFraming framing = header.Request == StreamRequest.Udp ? UdpFraming.OnePerFrame : UdpFraming.LengthPrefixed;
                await RelayDatagramsAsync(stream, header.Target, framing).ConfigureAwait(false);
                break;
            default:
                throw new IOException($"the peer asks for {header.Request}, which this version does not do");
        }
    }

    private async Task<ReceivedHeader> ReadHeaderAsync(TunnelStream stream)
    {
        // Closing is what ends a read that waits.
        await using var timer = new Timer(s => ((TunnelStream)s!).Close(), stream, _headerTimeout, Timeout.InfiniteTimeSpan);
        if (await HeaderExchange.ReceiveAsync(stream).ConfigureAwait(false) is { } received)
            return received;
        // A stream that is opened and closed again without a word is how some peers check that the session lives.
        Interlocked.Increment(ref _headerFailures);
        throw new IOException("no valid stream header came");
    }

    private static async Task AnswerAsync(TunnelStream stream, StreamHeader answer, HeaderFormat format)
    {
        await HeaderExchange.SendAsync(stream, answer, format).ConfigureAwait(false);
        stream.CloseWrite();
        // The peer closes once it has read the answer; closing first could drop it.
        byte[] rest = new byte[1];
        await stream.ReadAsync(rest).ConfigureAwait(false);
    }

    private async Task RelayAsync(TunnelStream stream, Target target, bool withResult)
    {
        stream.ReadBytes();
        stream.Use = new StreamUse(withResult ? StreamRequest.Dial : StreamRequest.Tcp, target);
        long start = Stopwatch.GetTimestamp();
        Socket socket;
        try
        {
            socket = await _dialer.DialAsync(target, _stop).ConfigureAwait(false);
            Dials.Count(DialResult.Connected, Stopwatch.GetElapsedTime(start));
        }
        catch (Exception e) when (e is SocketException or TimeoutException or TargetDeniedException)
        {
            Dials.Count(ResultOf(e), Stopwatch.GetElapsedTime(start));
            LogNotConnected(stream, target, e);
            if (withResult)
                await SayAsync(stream, ResultOf(e)).ConfigureAwait(false);
            return;
        }

        if (withResult)
            await SayAsync(stream, DialResult.Connected).ConfigureAwait(false);
        await new Relay(socket, stream, isClient: false).RunAsync(_stop).ConfigureAwait(false);
    }

    private void LogNotConnected(TunnelStream stream, Target target, Exception e)
    {
        if (e is TargetDeniedException && _denied.Admits())
            LogDenied(_logger, target, stream.Session.Peer);
        else if (e is not TargetDeniedException && _dialFailed.Admits())
            LogDialFailed(_logger, target, stream.Session.Peer, e.Message);
    }

    private async Task RelayDatagramsAsync(TunnelStream stream, Target target, UdpFraming framing)
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
            return;
        }

        await new UdpRelay(new OpenedUdp(stream, framing), socket, _udp.Limits.Idle, _udp.Meter).RunAsync(_stop).ConfigureAwait(false);
    }

    private static async ValueTask SayAsync(TunnelStream stream, DialResult result)
    {
        await stream.WriteAsync(new[] { (byte)result }).ConfigureAwait(false);
        if (result == DialResult.Connected)
            return;
        // The peer closes once it has read the byte; closing first could drop it.
        stream.CloseWrite();
        await stream.ReadAsync(new byte[1]).ConfigureAwait(false);
    }

    private static DialResult ResultOf(Exception e) => e switch
    {
        TargetDeniedException => DialResult.NotAllowed,
        TimeoutException => DialResult.TimedOut,
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => DialResult.Refused,
        SocketException { SocketErrorCode: SocketError.NetworkUnreachable or SocketError.NetworkDown } => DialResult.NetworkUnreachable,
        SocketException
        {
            SocketErrorCode: SocketError.HostUnreachable or SocketError.HostDown or SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain
        } => DialResult.HostUnreachable,
        SocketException { SocketErrorCode: SocketError.TimedOut } => DialResult.TimedOut,
        SocketException { SocketErrorCode: SocketError.AccessDenied } => DialResult.NotAllowed,
        _ => DialResult.Failed,
    };

    [LoggerMessage(Level = LogLevel.Debug, Message = "stream {Id} of {Peer}: {Problem}")]
    private static partial void LogStreamFailed(ILogger logger, uint id, Protocol.Wire.Endpoint peer, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "could not connect to {Target} for {Peer}: {Problem}")]
    private static partial void LogDialFailed(ILogger logger, Target target, Protocol.Wire.Endpoint peer, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Target} is denied to {Peer} by [targets]")]
    private static partial void LogDenied(ILogger logger, Target target, Protocol.Wire.Endpoint peer);
}

/// <summary>How a server relays datagrams.</summary>
/// <param name="Limits">The bounds.</param>
/// <param name="Meter">Where they are counted.</param>
public sealed record UdpServing(UdpLimits Limits, UdpMeter Meter);
