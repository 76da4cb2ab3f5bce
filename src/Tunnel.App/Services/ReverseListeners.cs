using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>
/// The listeners that clients have this server open. Each lives as long as a stream with which one of its client's sessions asked for
/// it; one whose sessions all broke is kept for a while, so that the client finds it again when it is back.
/// </summary>
/// <param name="policy">What may be asked for.</param>
/// <param name="gate">What its listeners share.</param>
/// <param name="udp">How datagrams are relayed.</param>
/// <param name="logger">Where a user sees what was refused.</param>
/// <param name="stop">Ends every relay.</param>
public sealed partial class ReverseListeners(
    ReversePolicy policy, ListenerGate gate, UdpServing udp, ILogger logger, CancellationToken stop) : IDisposable
{
    /// <summary>A client that does not answer for so long has lost its listener to another that asks for it.</summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<ReverseAddress, ReverseListening> _listening = [];
    private readonly RateLimitedLog _refused = new(logger, "reverse forwards that were refused");
    private bool _isStopping;

    /// <summary>For how long a listener outlives its client's sessions: longer than an idle client takes to notice that its session is gone.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Connections being carried.</summary>
    public int Active => gate.Active;

    /// <summary>Addresses that are listened on.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _listening.Count;
        }
    }

    /// <summary>Does what a stream asks for, until its end.</summary>
    /// <exception cref="IOException">The stream or its session ended.</exception>
    public async Task ServeAsync(TunnelStream stream, StreamHeader header)
    {
        // It says nothing any more; only its end means something.
        stream.ReadBytes();
        var member = new ReverseMember(stream, header.Reverse);
        (ReverseResult result, ReverseListening? listening) = await JoinAsync(member, header.Target).ConfigureAwait(false);
        if (listening is null)
        {
            if (_refused.Admits())
                LogRefused(logger, header.Target, stream.Session.Peer, result);
            await HeaderExchange.AnswerAsync(stream, (byte)result, isLast: true).ConfigureAwait(false);
            return;
        }

        try
        {
            await HeaderExchange.AnswerAsync(stream, (byte)result, isLast: false).ConfigureAwait(false);
            await HeaderExchange.ReceiveByteAsync(stream).ConfigureAwait(false);
        }
        finally
        {
            Leave(listening, member);
        }
    }

    /// <inheritdoc cref="ILocalListener.ListenAgain"/>
    public void ListenAgain()
    {
        lock (_lock)
        {
            foreach (ReverseListening listening in _listening.Values)
                listening.ListenAgain();
        }
    }

    /// <summary>Closes every listener; what is being carried goes on.</summary>
    public void Dispose()
    {
        ReverseListening[] all;
        lock (_lock)
        {
            _isStopping = true;
            all = [.. _listening.Values];
            _listening.Clear();
        }

        foreach (ReverseListening listening in all)
            listening.Dispose();
    }

    private async Task<(ReverseResult Result, ReverseListening? Listening)> JoinAsync(ReverseMember member, Target target)
    {
        if (AddressOf(target) is not { } address)
            return (ReverseResult.Failed, null);
        if (!policy.Permits(address))
            return (ReverseResult.NotAllowed, null);
        var key = new ReverseAddress(address, member.Name.IsUdp);
        (ReverseResult, ReverseListening?) result = TryJoin(member, key);
        if (result is not (ReverseResult.InUse, { } occupied))
            return result;
        // Another client's, which may be this one before it was started anew: its session dies only when its keepalive gives up.
        await Task.WhenAll(occupied.Members.Select(other => ExpelIfDeadAsync(occupied, other))).ConfigureAwait(false);
        result = TryJoin(member, key);
        return result is (ReverseResult.InUse, _) ? (ReverseResult.InUse, null) : result;
    }

    /// <summary>In use comes with the listener of another client; or without one, when it is another program's.</summary>
    private (ReverseResult Result, ReverseListening? Listening) TryJoin(ReverseMember member, ReverseAddress address)
    {
        lock (_lock)
        {
            if (_isStopping)
                return (ReverseResult.Stopping, null);
            if (_listening.TryGetValue(address, out ReverseListening? listening))
                return (listening.TryJoin(member) ? ReverseResult.Listening : ReverseResult.InUse, listening);
            listening = new ReverseListening(address, gate, udp, Hold, logger);
            ReverseResult result = listening.Start(stop);
            if (result != ReverseResult.Listening)
                return (result, null);
            listening.TryJoin(member);
            _listening.Add(address, listening);
            return (result, listening);
        }
    }

    private static async Task ExpelIfDeadAsync(ReverseListening listening, ReverseMember member)
    {
        try
        {
            await StreamPing.RunAsync(member.Session, HeaderFormat.V1, ProbeTimeout).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            listening.Remove(member);
            member.Expel();
        }
    }

    private void Leave(ReverseListening listening, ReverseMember member)
    {
        if (!listening.Remove(member))
            return;
        // A client that takes back what it asked for, or says goodbye, is not coming back for it.
        bool isMeant = !member.Session.IsClosed || member.Session.CloseReason == CloseReason.Goodbye;
        if (isMeant)
            CloseIfLeft(listening);
        else
            _ = CloseLaterAsync(listening, listening.Departures);
    }

    private async Task CloseLaterAsync(ReverseListening listening, int departures)
    {
        await Task.Delay(Hold, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Whoever came and left again in the meantime has a time of its own.
        if (listening.Departures == departures)
            CloseIfLeft(listening);
    }

    private void CloseIfLeft(ReverseListening listening)
    {
        lock (_lock)
        {
            if (listening.Members.Count != 0 || !_listening.TryGetValue(listening.Address, out ReverseListening? current) || current != listening)
                return;
            _listening.Remove(listening.Address);
        }

        listening.Dispose();
        LogClosed(logger, listening.Address);
    }

    private static IPEndPoint? AddressOf(Target target)
    {
        if (target.Port == 0 || !IPAddress.TryParse(target.Host, out IPAddress? address))
            return null;
        return new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, target.Port);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Peer} may not have reverse listen on {Address}: {Result}")]
    private static partial void LogRefused(ILogger logger, Target address, Protocol.Wire.Endpoint peer, ReverseResult result);

    [LoggerMessage(Level = LogLevel.Information, Message = "reverse no longer listens on {Address}: its client has gone")]
    private static partial void LogClosed(ILogger logger, ReverseAddress address);
}

/// <summary>Where a reverse forward listens.</summary>
internal readonly record struct ReverseAddress(IPEndPoint EndPoint, bool IsUdp)
{
    public override string ToString() => IsUdp ? $"{EndPoint} for datagrams" : $"{EndPoint}";
}
