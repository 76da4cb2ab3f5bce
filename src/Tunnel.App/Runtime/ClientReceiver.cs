using System.Security.Cryptography;
using Tunnel.Links;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>A client's link with its one session to one server.</summary>
public sealed class ClientReceiver : LinkReceiver
{
    private readonly IDisposable? _firewall;
    private readonly Func<FlowAddresses?>? _findWay;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ClientReceiver(OpenedLink opened, SessionFactory sessions, DeadlineLoop deadlines)
        : base(opened.Link, opened.Carrier, sessions, $"{opened.Link.Name} receive")
    {
        _firewall = opened.Firewall;
        _findWay = opened.FindWay;
        uint conv = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4));
        Session session = sessions.CreateSession(conv, isClient: true, MonotonicClock.Now);
        Session = new PeerSession(session, opened.Path, opened.Server, sessions.Stamp, deadlines, this);
    }

    public PeerSession Session { get; }

    /// <summary>Ends when the session has ended, for whatever reason.</summary>
    public Task Closed => _closed.Task;

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
            Session.ChangePath(path => path.Redirect(addresses));
        else
            Session.Close(CloseReason.Local);
    }

    public override void OnStreamOpened(TunnelStream stream) => _ = ListenAsync(stream);

    public override void OnSessionClosed(PeerSession session) => _closed.TrySetResult();

    public override void Dispose()
    {
        base.Dispose();
        Session.Close(CloseReason.Local);
        _firewall?.Dispose();
    }

    /// <summary>The only thing that a server opens a stream for is to say goodbye.</summary>
    private async Task ListenAsync(TunnelStream stream)
    {
        try
        {
            ReceivedHeader? received = await HeaderExchange.ReceiveAsync(stream).ConfigureAwait(false);
            if (received?.Header.Request == StreamRequest.Goodbye)
                Session.Close(CloseReason.Goodbye);
            stream.Close();
        }
        catch (IOException)
        {
            // The session ended first.
        }
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
