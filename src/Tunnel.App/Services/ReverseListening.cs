using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>
/// One address that a server listens on for a client, bound once however many sessions the client has: what connects goes to them in
/// turn, and waits a while when there is none. Thread-safe.
/// </summary>
internal sealed class ReverseListening : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ReverseListenerKind _listener;
    private readonly TimeSpan _patience;
    private readonly CancellationTokenSource _closed = new();
    private TaskCompletionSource _joined = NewSignal();
    private ReverseMember[] _members = [];
    private UInt128 _client;
    private int _next;
    private int _departures;

    public ReverseListening(ReverseAddress address, ListenerGate gate, UdpServing udp, TimeSpan patience, ILogger logger)
    {
        Address = address;
        _patience = patience;
        _listener = address.IsUdp
            ? new(
                new UdpForwardListener(
                    ReverseTcpListener.LogName, address.EndPoint, () => address.EndPoint.Port, OpenUdpAsync, udp.Apart(), logger),
                _closed.Token)
            : new(new ReverseTcpListener(address.EndPoint, this, gate, logger), null);
    }

    public ReverseAddress Address { get; }

    /// <summary>The sessions that asked for it.</summary>
    public IReadOnlyList<ReverseMember> Members => Volatile.Read(ref _members);

    /// <summary>Binds, and serves until it is disposed.</summary>
    /// <param name="stop">Ends what is being carried.</param>
    public ReverseResult Start(CancellationToken stop)
    {
        try
        {
            _listener.Socket.Bind();
        }
        catch (SocketException e)
        {
            Dispose();
            return e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => ReverseResult.InUse,
                SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported => ReverseResult.NoSuchAddress,
                SocketError.AccessDenied => ReverseResult.NoPermission,
                _ => ReverseResult.Failed,
            };
        }

        _ = _listener.Socket.RunAsync(_listener.Stop ?? stop);
        return ReverseResult.Listening;
    }

    /// <inheritdoc cref="ILocalListener.ListenAgain"/>
    public void ListenAgain() => _listener.Socket.ListenAgain();

    /// <summary>Lets a session carry what connects; false when another client's sessions do.</summary>
    public bool TryJoin(ReverseMember member)
    {
        ReverseMember[] replaced;
        lock (_lock)
        {
            if (_members.Length != 0 && _client != member.Name.Client)
                return false;
            _client = member.Name.Client;
            // The client has given up the session before, whatever that looks like from here.
            replaced = [.. _members.Where(m => m.Name.Session == member.Name.Session)];
            Volatile.Write(ref _members, [.. _members.Except(replaced), member]);
            _joined.TrySetResult();
            _joined = NewSignal();
        }

        Array.ForEach(replaced, m => m.Expel());
        return true;
    }

    /// <summary>How often the last session left.</summary>
    public int Departures => Volatile.Read(ref _departures);

    /// <summary>True when it was there, and nobody is left to carry anything.</summary>
    public bool Remove(ReverseMember member)
    {
        lock (_lock)
        {
            ReverseMember[] others = [.. _members.Where(m => m != member)];
            bool isLast = others.Length == 0 && _members.Length != 0;
            Volatile.Write(ref _members, others);
            _departures += isLast ? 1 : 0;
            return isLast;
        }
    }

    /// <summary>A stream to the client, on which it has been told who connected.</summary>
    /// <exception cref="TunnelUnavailableException">No session of the client takes a stream.</exception>
    /// <exception cref="IOException">The session ended meanwhile.</exception>
    public async ValueTask<ReverseStream> OpenAsync(IPEndPoint peer, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, _closed.Token);
        limit.CancelAfter(_patience);
        while (true)
        {
            Task joined;
            lock (_lock)
                joined = _joined.Task;
            if (TryOpen(out ReverseMember? member) is { } stream)
            {
                await AnnounceAsync(stream, member!, peer).ConfigureAwait(false);
                return new ReverseStream(stream, member!.Expelled);
            }

            if (Members.Any(m => !m.Session.IsClosed))
                throw new TunnelUnavailableException("every session of the client is at its cap of streams");
            await joined.WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (limit.IsCancellationRequested)
                throw new TunnelUnavailableException("the client has gone");
        }
    }

    public void Dispose()
    {
        _closed.Cancel();
        _listener.Socket.Dispose();
        foreach (ReverseMember member in Members)
            member.Expel();
    }

    private async ValueTask<OpenedUdp> OpenUdpAsync(IPEndPoint peer, CancellationToken cancel)
    {
        (TunnelStream stream, _) = await OpenAsync(peer, cancel).ConfigureAwait(false);
        UdpFraming.LengthPrefixed.Begin(stream);
        return new OpenedUdp(stream, UdpFraming.LengthPrefixed);
    }

    private static async ValueTask AnnounceAsync(TunnelStream stream, ReverseMember member, IPEndPoint peer)
    {
        try
        {
            var header = new StreamHeader(StreamRequest.Connection, TargetOf(peer), Reverse: member.Name);
            await HeaderExchange.SendAsync(stream, header, HeaderFormat.V1).ConfigureAwait(false);
        }
        catch
        {
            stream.Close();
            throw;
        }
    }

    private TunnelStream? TryOpen(out ReverseMember? member)
    {
        IReadOnlyList<ReverseMember> members = Members;
        uint first = (uint)Interlocked.Increment(ref _next);
        for (uint i = 0; i < members.Count; i++)
        {
            member = members[(int)((first + i) % (uint)members.Count)];
            if (member.Session.OpenStream() is { } stream)
                return stream;
        }

        member = null;
        return null;
    }

    private static Target TargetOf(IPEndPoint peer)
    {
        IPAddress address = peer.Address.IsIPv4MappedToIPv6 ? peer.Address.MapToIPv4() : peer.Address;
        return new Target(address.ToString(), (ushort)peer.Port);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="Socket">What listens.</param>
    /// <param name="Stop">Ends what it carries, when that ends with the listener: senders of datagrams never say that they are done.</param>
    private readonly record struct ReverseListenerKind(ILocalListener Socket, CancellationToken? Stop);
}

/// <summary>A stream to a client.</summary>
/// <param name="Stream">Its header has been sent.</param>
/// <param name="Expelled">Ends when its session is given up for another.</param>
internal readonly record struct ReverseStream(TunnelStream Stream, CancellationToken Expelled);
