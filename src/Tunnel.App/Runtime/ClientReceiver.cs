using System.Security.Cryptography;
using Tunnel.Links;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>A client's link with its one session to one server.</summary>
public sealed class ClientReceiver : LinkReceiver, ISessionOwner
{
    private readonly IDisposable? _firewall;
    private readonly Func<FlowAddresses?>? _findWay;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="opened">The link, owned from now on, and what is known of the way to the server.</param>
    /// <param name="sessions">What the session is made with.</param>
    /// <param name="deadlines">Wakes it.</param>
    /// <param name="index">Of the link among the client's.</param>
    public ClientReceiver(OpenedLink opened, SessionFactory sessions, DeadlineLoop deadlines, int index = 0)
        : base(opened.Link, opened.Carrier, sessions, index)
    {
        _firewall = opened.Firewall;
        _findWay = opened.FindWay;
        uint conv = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4));
        Session session = sessions.CreateSession(conv, isClient: true, MonotonicClock.Now);
        Session = new PeerSession(session, opened.Path, opened.Server, sessions.Stamp, deadlines, this)
        {
            Budget = sessions.Budget,
            ProbesPath = sessions.ProbesPath,
            Log = sessions.Log,
        };
        sessions.Ledger.Add(Session);
    }

    public PeerSession Session { get; }

    /// <summary>Takes charge of a stream that the server opened for more than to say something; null: nobody does.</summary>
    public Func<TunnelStream, StreamHeader, Task>? Serve { get; init; }

    /// <summary>Ends when the session has ended, for whatever reason.</summary>
    public Task Closed => _closed.Task;

    /// <summary>Ends when the server has said that it takes no new streams; not before that.</summary>
    public Task Drained => _drained.Task;

    /// <summary>
    /// This host's network has changed. A new next hop is followed, and a link that broke is opened again; where it would lead nowhere
    /// any more, the session ends, so that another begins the new way.
    /// </summary>
    /// <exception cref="LinkException">There is no way to the server now; the session waits for one.</exception>
    public void FindWay()
    {
        if (_findWay is null)
            return;
        if (_findWay() is { } addresses)
            Session.Redirect(addresses);
        else
            Session.Close(CloseReason.Local);
    }

    public void OnStreamOpened(TunnelStream stream) => _ = ListenAsync(stream);

    public void OnSessionClosed(PeerSession session)
    {
        Sessions.Ledger.Remove(session);
        _closed.TrySetResult();
    }

    public override void Dispose()
    {
        base.Dispose();
        Session.Close(CloseReason.Local);
        _firewall?.Dispose();
    }

    /// <summary>A server opens streams to say goodbye or that it will stop, to ask whether this end lives, and for what connected to its listeners.</summary>
    private async Task ListenAsync(TunnelStream stream)
    {
        try
        {
            ReceivedHeader? received = await HeaderExchange.ReceiveAsync(stream).ConfigureAwait(false);
            if (received is not { } asked)
                return;
            if (asked.Header.Request == StreamRequest.Goodbye)
                Session.Close(CloseReason.Goodbye);
            else if (asked.Header.Request == StreamRequest.Draining)
                OnDraining();
            else if (asked.Header.Request == StreamRequest.Ping)
                await HeaderExchange.AnswerAsync(stream, new StreamHeader(StreamRequest.Pong), asked.Format).ConfigureAwait(false);
            else if (Serve is not null)
                await Serve(stream, asked.Header).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The session ended first.
        }
        catch (Exception defect)
        {
            DefectLog.OfProcess.Met(defect, "a stream");
        }
        finally
        {
            stream.Close();
        }
    }

    private void OnDraining()
    {
        Session.OnPeerDrains();
        _drained.TrySetResult();
    }

    protected override DropReason OnDatagram(in Arrival arrival, ReadOnlySpan<byte> datagram)
    {
        if (arrival.Peer != Session.Peer)
            return DropReason.UnknownPeer;
        Enter(Session);
        return Session.Receive(datagram, arrival, Now);
    }
}

/// <summary>A link with the path to a server on it.</summary>
/// <param name="Link">Owned by whoever gets this.</param>
/// <param name="Carrier">What datagrams wear.</param>
/// <param name="Path">To the server.</param>
/// <param name="Server">The server's address, as its datagrams will show it.</param>
/// <param name="Firewall">What is to be removed with the link; null when there is nothing.</param>
/// <param name="FindWay">
/// Looks again how the server is reached: the addresses to use from now on, or null when the link is of no use for them (another
/// interface, another local address). A broken link is opened again. The whole is null where the kernel finds the way.
/// </param>
public sealed record OpenedLink(
    ReplaceableLink Link, Carrier Carrier, PeerPath Path, Endpoint Server, IDisposable? Firewall, Func<FlowAddresses?>? FindWay);
