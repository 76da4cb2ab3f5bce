using Tunnel.App.Runtime;
using Tunnel.Protocol.Mux;
using Tunnel.Tests.Diagnostics;

namespace Tunnel.Tests.Runtime;

/// <summary>
/// A conversation that begins at an address with a living session: a client that was started again on its port, or somebody who repeats what
/// once began another conversation and puts the client's address on it. Who it is shows when something is acknowledged.
/// </summary>
public sealed class SuccessorTests : IDisposable
{
    private readonly ServerBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void ARepeatedBeginningOfAnotherConversationCostsAPlaceAndNothingElse()
    {
        BenchPeer client = Greet(1, conv: 7);
        PeerSession session = client.Session;
        for (uint conv = 8; conv < 12; conv++)
        {
            _bench.Greet(1, conv);
            client.Say(MuxCommand.Open, 3 + 2 * (conv - 7));
        }

        Assert.False(session.IsClosed);
        // The first stream, the server's, and one after each repetition.
        Assert.Equal(6, session.StreamCount);
        Assert.Equal(2, _bench.Sessions.GetAll().Length);
        Assert.Equal(1, _bench.Sessions.Count);
    }

    [Fact]
    public void AClientThatBeganAnewHasItsAddressWithItsFirstAcknowledgement()
    {
        PeerSession old = Greet(1, conv: 7).Session;
        BenchPeer anew = _bench.Greet(1, conv: 8);
        PeerSession session = anew.Session;
        Assert.False(old.IsClosed);
        Acknowledge(anew, session);
        Assert.Equal(CloseReason.Replaced, old.CloseReason);
        Assert.Equal([session], _bench.Sessions.GetAll());
        anew.Say(MuxCommand.Open, 5);
        Assert.Equal(3, session.StreamCount);
    }

    /// <summary>What the old session says last must not end the flow that both wear; nor what is repeated, when it is given up.</summary>
    [Fact]
    public void ThePathIsClosedByWhoHasItForHimself()
    {
        PeerSession old = Greet(1, conv: 7).Session;
        BenchPeer first = _bench.Greet(1, conv: 8);
        first.Session.Close(CloseReason.KeepAliveTimeout);
        Assert.Equal(0, _bench.Carrier.Closed);
        BenchPeer second = _bench.Greet(1, conv: 9);
        PeerSession session = second.Session;
        Acknowledge(second, session);
        Assert.True(old.IsClosed);
        Assert.Equal(0, _bench.Carrier.Closed);
        session.Close(CloseReason.Local);
        Assert.Equal(1, _bench.Carrier.Closed);
    }

    [Fact]
    public void WhenTheSessionEndsItsSuccessorHasTheAddress()
    {
        PeerSession old = Greet(1, conv: 7).Session;
        BenchPeer anew = _bench.Greet(1, conv: 8);
        old.Close(CloseReason.KeepAliveTimeout);
        Assert.Equal([anew.Session], _bench.Sessions.GetAll());
        Assert.Equal(1, _bench.Sessions.Count);
        anew.Say(MuxCommand.Open, 5);
        Assert.Equal(2, anew.Session.StreamCount);
    }

    /// <summary>Also where there is room for no session more: one that is proven gives its place to nobody else.</summary>
    /// <summary>By its keepalive, say, on another thread: nobody else would find its successor.</summary>
    [Fact]
    public void TheSessionMayEndWhileItsSuccessorIsMade()
    {
        PeerSession old = Greet(1, conv: 7).Session;
        _bench.Sessions.SessionOpened += _ => old.Close(CloseReason.KeepAliveTimeout);
        BenchPeer anew = _bench.Greet(1, conv: 8);
        Assert.Equal([anew.Session], _bench.Sessions.GetAll());
        Assert.Equal(1, _bench.Sessions.Count);
        anew.Say(MuxCommand.Open, 5);
        Assert.Equal(2, anew.Session.StreamCount);
    }

    [Fact]
    public void AtTheCapAClientThatBeganAnewIsServed()
    {
        PeerSession old = Greet(1, conv: 7).Session;
        _bench.MaxSessions = 1;
        BenchPeer anew = _bench.Greet(1, conv: 8);
        Acknowledge(anew, anew.Session);
        Assert.True(old.IsClosed);
        Assert.False(anew.Session.IsClosed);
    }

    [Fact]
    public void SuccessorsAreFew()
    {
        const int clients = 100, most = 64;
        _bench.MaxSessions = clients;
        PeerSession[] sessions = [.. Enumerable.Range(1, clients).Select(host => Greet(host, conv: 7).Session)];
        for (int host = 1; host <= clients; host++)
            _bench.Greet(host, conv: 8);
        Assert.DoesNotContain(sessions, s => s.IsClosed);
        Assert.Equal(clients + most, _bench.Sessions.GetAll().Length);
    }

    /// <summary>A client that has acknowledged something.</summary>
    private BenchPeer Greet(int host, uint conv)
    {
        BenchPeer peer = _bench.Greet(host, conv);
        Acknowledge(peer, peer.Session);
        return peer;
    }

    private static void Acknowledge(BenchPeer peer, PeerSession session)
    {
        Assert.NotNull(session.OpenStream());
        peer.Acknowledge();
        Assert.True(session.IsProven);
    }
}
