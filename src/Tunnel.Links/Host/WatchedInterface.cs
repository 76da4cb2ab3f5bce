using Tunnel.Links.Native;

namespace Tunnel.Links.Host;

/// <summary>
/// The interface that a link was opened on, for as long as the link is: <see cref="InterfaceWatch"/> ends the link's wait when it is no longer
/// that one, or down, and the link asks. Thread-safe.
/// </summary>
internal sealed class WatchedInterface : IDisposable
{
    private readonly WakeEvent _wake;
    private volatile bool _suspect;

    /// <param name="name">The interface's; there need not be one.</param>
    /// <param name="wake">What the link waits with. Its owner may dispose of it first.</param>
    internal WatchedInterface(string name, WakeEvent wake)
    {
        Name = name;
        Index = InterfaceProbe.Index(name);
        _wake = wake;
        InterfaceWatch.Follow(this);
    }

    internal string Name { get; }

    /// <summary>When the link was opened; 0: there was no interface of that name.</summary>
    internal int Index { get; }

    /// <summary>Something was seen since the link asked last: <see cref="Require"/> says what.</summary>
    internal bool IsSuspect => _suspect;

    /// <exception cref="LinkException">The interface is no longer the one that the link was opened on, or it is down.</exception>
    internal void Require()
    {
        _suspect = false;
        if (InterfaceProbe.Index(Name) != Index)
            throw new LinkException(LinkFault.Network, $"interface {Name} went away");
        if (!InterfaceProbe.IsUp(Name))
            throw new LinkException(LinkFault.Network, $"interface {Name} went down");
    }

    /// <summary>Called, again and again, while the name has another index or none, or is down.</summary>
    internal void Suspect()
    {
        _suspect = true;
        _wake.Set();
    }

    public void Dispose() => InterfaceWatch.Forget(this);
}
