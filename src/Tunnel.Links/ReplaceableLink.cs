using Tunnel.Links.Native;
using Tunnel.Links.Sockets;

namespace Tunnel.Links;

/// <summary>
/// A link that can be exchanged under those who use it: they go on over another interface, or over the same one when it is there again.
/// While the link that it stands for is broken, what is sent is lost and nothing comes, as with a cable that is pulled.
/// </summary>
/// <param name="first">The link to begin with. This and its successors are owned here.</param>
public sealed class ReplaceableLink(IPacketLink first) : IPacketLink
{
    private readonly WakeEvent _wake = new();
    private readonly Lock _exchange = new();
    private LinkCounters _past;
    private bool _disposed;

    // What is sent goes to the one; whoever receives, and disposes of those that it leaves, may still listen to the other.
    private volatile IPacketLink _link = first;
    private IPacketLink _heard = first;
    private LinkWatch? _watch;
    private volatile IPacketLink? _broken;

    /// <summary>The link broke and waits for another one; called once for each, by whoever receives.</summary>
    public event Action<LinkException>? Broke;

    /// <summary>Nothing is sent or received until another link takes the broken one's place.</summary>
    public bool IsBroken => ReferenceEquals(_link, _broken);

    public string Name => _link.Name;

    public LinkFraming Framing => _link.Framing;

    public int MaxMergedLength => _link.MaxMergedLength;

    public int MaxTogether => _link.MaxTogether;

    /// <summary>Those of all links that there were, together.</summary>
    public LinkCounters Counters
    {
        get
        {
            lock (_exchange)
            {
                LinkCounters heard = _past + _heard.Counters;
                return ReferenceEquals(_link, _heard) ? heard : heard + _link.Counters;
            }
        }
    }

    /// <summary>Sends by another link from now on, and receives from it as soon as what the old one has captured is read.</summary>
    public void Replace(IPacketLink link)
    {
        IPacketLink before;
        lock (_exchange)
        {
            before = _link;
            if (_disposed)
            {
                link.Dispose();
                return;
            }

            link.Watch(_watch);
            _link = link;
            if (!ReferenceEquals(before, _heard))
                Retire(before);
        }

        before.Wake();
        _wake.Set();
    }

    public void Watch(LinkWatch? watch)
    {
        lock (_exchange)
        {
            _watch = LinkWatch.Exchange(_watch, watch, -1, _wake);
            if (!ReferenceEquals(_link, _broken))
                _link.Watch(watch);
            if (!ReferenceEquals(_link, _heard) && !ReferenceEquals(_heard, _broken))
                _heard.Watch(watch);
        }
    }

    public int MtuTowards(ReadOnlySpan<byte> address) => _link.MtuTowards(address);

    public int Receive(IFrameSink sink, int timeoutMilliseconds)
    {
        IPacketLink link = _link;
        if (!ReferenceEquals(link, _heard))
            return Follow(sink);
        if (!ReferenceEquals(link, _broken))
            return ReceiveFrom(link, sink, timeoutMilliseconds);
        _wake.Wait(-1, timeoutMilliseconds);
        return 0;
    }

    public int Send(ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address) => _link.Send(run, frameLength, address);

    /// <summary>Frames made for a link that took them merged may come to one that does not: they are refused.</summary>
    public bool SendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength)
    {
        IPacketLink link = _link;
        return link.MaxMergedLength > 0 && link.SendMerged(frame, headerLength, segmentLength);
    }

    public void Wake()
    {
        _link.Wake();
        _wake.Set();
    }

    public void Dispose()
    {
        lock (_exchange)
        {
            if (_disposed)
                return;
            _watch?.Remove(_wake.Descriptor);
            _disposed = true;
            if (!ReferenceEquals(_link, _heard))
                _heard.Dispose();
            _link.Dispose();
        }

        _wake.Dispose();
    }

    private int ReceiveFrom(IPacketLink link, IFrameSink sink, int timeoutMilliseconds)
    {
        try
        {
            return link.Receive(sink, timeoutMilliseconds);
        }
        catch (LinkException e)
        {
            // Whatever it had handed over before is all that there will be.
            sink.OnBatchEnd();
            lock (_exchange)
            {
                // A descriptor in error would be told of for ever.
                link.Watch(null);
                _broken = link;
            }

            if (ReferenceEquals(link, _link))
                Broke?.Invoke(e);
            return 0;
        }
    }

    /// <summary>Reads once more what the old link has captured, and leaves it.</summary>
    private int Follow(IFrameSink sink)
    {
        int frames = ReferenceEquals(_heard, _broken) ? 0 : ReceiveFrom(_heard, sink, 0);
        lock (_exchange)
        {
            Retire(_heard);
            _heard = _link;
            _broken = null;
        }

        return frames;
    }

    private void Retire(IPacketLink link)
    {
        _past += link.Counters;
        link.Dispose();
    }
}
