using Tunnel.Links.Native;

namespace Tunnel.Links.Sockets;

/// <summary>
/// Tells an observer, on a reactor's thread, when one of a link's descriptors has something to receive. Links add what they wait for, and take
/// it back before they close it. Thread-safe.
/// </summary>
public sealed class LinkWatch : IReactorTarget, IDisposable
{
    private readonly Reactor _reactor;
    private readonly ILinkObserver _observer;
    private readonly Lock _lock = new();
    private readonly Dictionary<int, int> _places = [];
    private volatile bool _disposed;

    internal LinkWatch(Reactor reactor, ILinkObserver observer) => (_reactor, _observer) = (reactor, observer);

    /// <summary>A link has it wait for something.</summary>
    internal bool IsWaiting
    {
        get
        {
            lock (_lock)
                return _places.Count != 0;
        }
    }

    /// <summary>Of what a link still holds nothing is told any more, but for a call that is under way.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach ((int descriptor, int place) in _places)
                _reactor.Unregister(place, descriptor);
            _places.Clear();
        }

        _reactor.Forget(this);
    }

    /// <summary>A link that waits for one descriptor (-1: for none of its own) and its wakes has another watch, or none; which this returns.</summary>
    /// <exception cref="LinkException">The kernel refuses.</exception>
    internal static LinkWatch? Exchange(LinkWatch? from, LinkWatch? to, int descriptor, WakeEvent wake)
    {
        from?.Remove(descriptor);
        from?.Remove(wake.Descriptor);
        if (descriptor >= 0)
            to?.Add(descriptor);
        to?.Add(wake.Descriptor, isSignal: true);
        return to;
    }

    /// <param name="descriptor">What may become readable.</param>
    /// <param name="isSignal">Told once each time it becomes so, instead of for as long as it is.</param>
    /// <exception cref="LinkException">The kernel refuses.</exception>
    internal void Add(int descriptor, bool isSignal = false)
    {
        lock (_lock)
        {
            if (_disposed || _places.ContainsKey(descriptor))
                return;
            int place = _reactor.RegisterLink(descriptor, this, isSignal);
            if (place < 0)
                throw new LinkException(LinkFault.Other, $"cannot wait for a link: {Libc.Describe(Libc.LastError)}");
            _places.Add(descriptor, place);
        }
    }

    /// <summary>Before the descriptor is closed: its number may be somebody else's right after.</summary>
    internal void Remove(int descriptor)
    {
        lock (_lock)
        {
            if (_places.Remove(descriptor, out int place))
                _reactor.Unregister(place, descriptor);
        }
    }

    void IReactorTarget.OnEvents(uint events)
    {
        if (!_disposed)
            _observer.OnReady();
    }

    void IReactorTarget.End()
    {
        // What one batch met says nothing about the next.
    }
}

/// <summary>Who receives from a link.</summary>
public interface ILinkObserver
{
    /// <summary>There may be something to receive.</summary>
    void OnReady();
}
