using Tunnel.Links.Sockets;

namespace Tunnel.Tests.Support;

/// <summary>Anything, within a reactor's turn.</summary>
internal sealed class ReactorWork(Action run) : IReactorWork
{
    public void Run() => run();
}
