using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Services;

/// <summary>
/// A client's reverse forwards: asks for them over each of its sessions, again while the server refuses, and dials what connects
/// there. It dials the targets that its own file names and no other: the server says only which forward is meant.
/// </summary>
public sealed partial class ReverseForwards : IDisposable
{
    private readonly UInt128 _client = BitConverter.ToUInt128(RandomNumberGenerator.GetBytes(16));
    private readonly ReverseForward[] _forwards;
    private readonly Dialer _dialer;
    private readonly UdpServing _udp;
    private readonly ILogger _logger;
    private readonly RateLimitedLog _dialFailed;
    private readonly CancellationTokenSource _closed = new();
    private readonly CancellationToken _stop;
    private readonly ConcurrentDictionary<(int Connection, Endpoint Server), PeerSession> _sessions = [];
    private int _active;

    /// <param name="forwards">As configured.</param>
    /// <param name="dialTimeout">How long connecting to a target may take now.</param>
    /// <param name="udp">How datagrams are relayed.</param>
    /// <param name="logger">Where a user sees what the server refuses.</param>
    /// <param name="stop">Ends every relay.</param>
    public ReverseForwards(
        IReadOnlyList<ReverseConfig> forwards, Func<TimeSpan> dialTimeout, UdpServing udp, ILogger logger, CancellationToken stop)
    {
        _forwards = [.. forwards.Select((forward, number) => new ReverseForward(forward, (uint)number))];
        _dialer = new Dialer(() => new DialRules(dialTimeout(), TargetPolicy.Everything));
        _udp = udp;
        _logger = logger;
        _dialFailed = new RateLimitedLog(logger, "targets of reverse forwards that could not be connected to");
        _stop = stop;
    }

    /// <summary>Connections being carried.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>Sessions that it keeps something for.</summary>
    internal int Sessions => _sessions.Count;

    /// <summary>Asks for all of them over a session that is up, as long as it lives.</summary>
    /// <param name="connection">Which of the client's connections this is the session of, in place of the one before.</param>
    /// <param name="session">Greeted already.</param>
    public void Register(int connection, PeerSession session)
    {
        if (_forwards.Length != 0)
            _sessions[(connection, session.Peer)] = session;
        foreach (ReverseForward forward in _forwards)
            _ = KeepAsync(connection, session, forward);
    }

    /// <summary>Takes the listeners back; what is being carried goes on.</summary>
    public void Dispose() => _closed.Cancel();

    /// <summary>Does what the server asks with a stream that it opened.</summary>
    /// <exception cref="IOException">The stream or its session ended.</exception>
    public async Task ServeAsync(TunnelStream stream, StreamHeader header)
    {
        ReverseName name = header.Reverse;
        ReverseForward? forward = _forwards.FirstOrDefault(f => f.Number == name.Number && f.IsUdp == name.IsUdp);
        if (header.Request != StreamRequest.Connection || name.Client != _client || forward is null)
            return;
        Interlocked.Increment(ref _active);
        try
        {
            await (forward.IsUdp ? RelayDatagramsAsync(stream, forward, header.Target) : RelayAsync(stream, forward, header.Target))
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Stopped while it dialled.
        }
        finally
        {
            Interlocked.Decrement(ref _active);
        }
    }

    private async Task RelayAsync(TunnelStream stream, ReverseForward forward, Target peer)
    {
        stream.ReadBytes();
        TcpSocket socket;
        try
        {
            socket = await DialWatch.DialAsync(_dialer, forward.Target, stream, _stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            LogNotConnected(forward, peer, e);
            await HeaderExchange.AnswerAsync(stream, (byte)Dialer.ResultOf(e), isLast: true).ConfigureAwait(false);
            return;
        }

        await new Relay(socket, stream, isClient: false).RunAsync(_stop, DialAnswer.Connected).ConfigureAwait(false);
    }

    private async Task RelayDatagramsAsync(TunnelStream stream, ReverseForward forward, Target peer)
    {
        UdpFraming.LengthPrefixed.Begin(stream);
        DatagramSocket socket;
        try
        {
            socket = DatagramSocket.ConnectTo(await _dialer.ResolveFirstAsync(forward.Target, _stop).ConfigureAwait(false));
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            LogNotConnected(forward, peer, e);
            return;
        }

        await new UdpRelay(new OpenedUdp(stream, UdpFraming.LengthPrefixed), socket, _udp.Limits().Idle, _udp.Meter)
            .RunAsync(_stop).ConfigureAwait(false);
    }

    private async Task KeepAsync(int connection, PeerSession session, ReverseForward forward)
    {
        var name = new ReverseName(_client, forward.Number, (ushort)connection, forward.IsUdp);
        var backOff = new BackOff(Random.Shared);
        try
        {
            await KeepAsync(connection, session, forward, name, backOff).ConfigureAwait(false);
        }
        finally
        {
            // Not a session that has taken its place.
            if (session.IsClosed)
                _sessions.TryRemove(KeyValuePair.Create((connection, session.Peer), session));
        }
    }

    private async Task KeepAsync(int connection, PeerSession session, ReverseForward forward, ReverseName name, BackOff backOff)
    {
        while (IsCurrent(connection, session))
        {
            string problem = await HoldAsync(session, forward, name, backOff).ConfigureAwait(false);
            if (!IsCurrent(connection, session))
                return;
            if (forward.IsNews(problem))
                LogRefused(_logger, forward.Listen, problem);
            await Task.Delay(backOff.Next(), _closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Not the session whose place another has taken, even while it lives: the two would take it from each other for ever.</summary>
    private bool IsCurrent(int connection, PeerSession session) =>
        !session.IsClosed && !_closed.IsCancellationRequested && _sessions.GetValueOrDefault((connection, session.Peer)) == session;

    /// <summary>Asks, and stays for as long as the server listens; returns why it does not, or no longer.</summary>
    private async Task<string> HoldAsync(PeerSession session, ReverseForward forward, ReverseName name, BackOff backOff)
    {
        if (!session.PeerCapabilities.HasFlag(Capabilities.Reverse))
            return $"{session.Peer} knows no reverse forwards: it is not a tunnel-server, or an older one";
        if (session.OpenStream() is not { } stream)
            return "the session is at its cap of streams";
        // Closing is what ends a read that waits.
        using CancellationTokenRegistration registration = _closed.Token.Register(stream.Close);
        try
        {
            var header = new StreamHeader(StreamRequest.Reverse, forward.Listen, Reverse: name);
            await HeaderExchange.SendAsync(stream, header, HeaderFormat.V1).ConfigureAwait(false);
            byte? answer = await HeaderExchange.ReceiveByteAsync(stream).ConfigureAwait(false);
            if (answer != (byte)ReverseResult.Listening)
                return Explain(answer is { } said ? (ReverseResult)said : ReverseResult.Failed);
            backOff.Reset();
            await StayAsync(stream, forward).ConfigureAwait(false);
            return "the server closed it";
        }
        catch (IOException e)
        {
            return e is StreamResetException ? "the server closed it" : e.Message;
        }
        finally
        {
            stream.Close();
        }
    }

    private async Task StayAsync(TunnelStream stream, ReverseForward forward)
    {
        if (forward.Enter())
            LogListening(_logger, stream.Session.Peer, forward.Listen, forward.IsUdp ? " for datagrams" : "", forward.Target);
        try
        {
            await HeaderExchange.ReceiveByteAsync(stream).ConfigureAwait(false);
        }
        finally
        {
            forward.Leave();
        }
    }

    private static string Explain(ReverseResult result) => result switch
    {
        ReverseResult.NotAllowed => "the server does not allow it: [reverse] allow of its file does not list that address and port",
        ReverseResult.InUse => "the address is in use at the server, by another program or another client",
        ReverseResult.NoSuchAddress => "the server has no such address",
        ReverseResult.NoPermission => "the server may not listen there: ports below 1024 need root or CAP_NET_BIND_SERVICE",
        ReverseResult.Stopping => "the server is stopping",
        _ => "the server could not listen there",
    };

    private void LogNotConnected(ReverseForward forward, Target peer, Exception e)
    {
        if (_dialFailed.Admits())
            LogDialFailed(_logger, forward.Listen, forward.Target, peer, e.Message);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "reverse: {Server} listens on {Address}{Kind}, for {Target}")]
    private static partial void LogListening(ILogger logger, Endpoint server, Target address, string kind, Target target);

    [LoggerMessage(Level = LogLevel.Warning, Message = "reverse {Address}: {Problem}; asking again")]
    private static partial void LogRefused(ILogger logger, Target address, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "reverse {Address}: could not connect to {Target} for {Peer}: {Problem}")]
    private static partial void LogDialFailed(ILogger logger, Target address, Target target, Target peer, string problem);
}

/// <summary>One of a client's reverse forwards, and what has been said about it. Thread-safe.</summary>
internal sealed class ReverseForward(ReverseConfig config, uint number)
{
    private string _problem = "";
    private int _sessions;

    public uint Number => number;

    public Target Listen { get; } = new(config.Listen.Address.ToString(), (ushort)config.Listen.Port);

    public Target Target { get; } = new(config.Target.Host, (ushort)config.Target.Port);

    public bool IsUdp => config.Protocol == ForwardProtocol.Udp;

    /// <summary>The server listens for a session more; true for the first.</summary>
    public bool Enter()
    {
        Volatile.Write(ref _problem, "");
        return Interlocked.Increment(ref _sessions) == 1;
    }

    public void Leave() => Interlocked.Decrement(ref _sessions);

    /// <summary>False for a problem that has just been told: the same one every half minute, of every session, would only hide others.</summary>
    public bool IsNews(string problem) => Interlocked.Exchange(ref _problem, problem) != problem;
}
