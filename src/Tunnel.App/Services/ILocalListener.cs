using System.Net;

namespace Tunnel.App.Services;

/// <summary>A local port that a client serves.</summary>
public interface ILocalListener : IDisposable
{
    /// <summary>Where it listens, once bound: port 0 has become a real one.</summary>
    IPEndPoint LocalEndPoint { get; }

    /// <summary>What a stop should wait for.</summary>
    int Active { get; }

    /// <exception cref="System.Net.Sockets.SocketException">The address is taken or not this host's.</exception>
    void Bind();

    /// <summary>The kernel cut the backlog to its limit when it was told to listen; told so again it takes the limit of now. Nobody who waits is lost.</summary>
    void ListenAgain();

    /// <summary>Serves until cancelled or disposed.</summary>
    Task RunAsync(CancellationToken stop);
}
