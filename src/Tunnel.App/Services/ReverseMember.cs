using Tunnel.App.Runtime;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>A session that asked for a listener, by the stream with which it did.</summary>
internal sealed class ReverseMember(TunnelStream stream, ReverseName name)
{
    private readonly CancellationTokenSource _expelled = new();

    public ReverseName Name => name;

    public PeerSession Session => stream.Session;

    /// <summary>Its place was taken: what it has not answered yet, another may be asked.</summary>
    public CancellationToken Expelled => _expelled.Token;

    /// <summary>Ends the stream with which it asked.</summary>
    public void Expel()
    {
        _expelled.Cancel();
        stream.Close();
    }
}
