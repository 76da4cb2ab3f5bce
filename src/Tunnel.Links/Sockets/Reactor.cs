using System.Runtime.InteropServices;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Sockets;

/// <summary>
/// A thread that waits for links and for many sockets at once (epoll) and tells their observers on that very thread, a batch a turn:
/// what the observers of one batch have to send can leave together at the turn's end. One that throws loses its own socket; the thread, which
/// serves all others, goes on.
/// </summary>
public sealed unsafe class Reactor : IDisposable
{
    /// <summary>Sockets that are told before links have their turn.</summary>
    private const int BatchLength = 64;
    private const int WakeSlot = -1;
    private const uint ToRead = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET;

    // The kernel packs struct epoll_event on x86-64 only.
    private static readonly int EventLength = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventLength - sizeof(ulong);

    [ThreadStatic]
    private static Reactor? _current;

    private readonly Lock _lock = new();
    private readonly Thread _thread;
    private readonly Action _turnBegins;
    private readonly Func<bool> _turnEnds;
    private readonly Action<Exception> _met;
    private readonly int _wake;
    private readonly List<Slot> _slots = [];
    private readonly Stack<int> _free = new();
    private List<IReactorWork> _posted = [];
    private List<IReactorWork> _working = [];
    private volatile LinkWatch[] _links = [];
    private int _epoll;
    private bool _isWoken;
    private bool _hasMore;
    private volatile bool _stopped;

    /// <param name="name">The thread's.</param>
    /// <param name="turnBegins">Called before the observers of a batch are told.</param>
    /// <param name="turnEnds">Called after that; true: another turn is wanted without anything to wait for.</param>
    /// <param name="met">Is given what any of those called threw, on the reactor's thread. Must not throw.</param>
    /// <exception cref="LinkException">The kernel has no descriptor left.</exception>
    public Reactor(string name, Action turnBegins, Func<bool> turnEnds, Action<Exception> met)
    {
        (_turnBegins, _turnEnds, _met) = (turnBegins, turnEnds, met);
        _epoll = Libc.EpollCreate(EPOLL_CLOEXEC);
        _wake = Libc.EventFd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (_epoll < 0 || _wake < 0 || !TryControl(EPOLL_CTL_ADD, _wake, EPOLLIN | EPOLLET, Key(WakeSlot, 0)))
        {
            string problem = Libc.Describe(Libc.LastError);
            CloseDescriptors();
            throw new LinkException(LinkFault.Other, $"cannot wait for sockets: {problem}");
        }

        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>The reactor whose thread this is; null on any other.</summary>
    public static Reactor? Current => _current;

    /// <summary>Lets <paramref name="work"/> run within the next turn. Any thread.</summary>
    public void Post(IReactorWork work)
    {
        bool wakes;
        lock (_lock)
        {
            _posted.Add(work);
            // Its own thread looks before it waits again.
            wakes = !_isWoken && _current != this;
            _isWoken |= wakes;
        }

        ulong one = 1;
        if (wakes && !_stopped)
            _ = Libc.Write(_wake, &one, sizeof(ulong));
    }

    /// <summary>Ends the thread. Sockets that are still registered are told no more.</summary>
    public void Dispose()
    {
        if (_stopped)
            return;
        _stopped = true;
        ulong one = 1;
        _ = Libc.Write(_wake, &one, sizeof(ulong));
        if (_current != this)
            _thread.Join();
        CloseDescriptors();
    }

    /// <summary>Tells <paramref name="observer"/> when a link that it lets be watched has something to receive, within turns of this thread.</summary>
    public LinkWatch Watch(ILinkObserver observer)
    {
        var watch = new LinkWatch(this, observer);
        lock (_lock)
            _links = [.. _links, watch];
        return watch;
    }

    /// <summary>The watch has ended.</summary>
    internal void Forget(LinkWatch watch)
    {
        lock (_lock)
            _links = [.. _links.Where(w => w != watch)];
    }

    /// <summary>Tells <paramref name="target"/> of what happens at a descriptor; the place to give back, or -1 when the kernel refuses.</summary>
    /// <param name="descriptor">What is watched.</param>
    /// <param name="target">Is told.</param>
    /// <param name="room">
    /// Also when it has room to write. Nearly every socket has, always: being told so at once would wake the thread for nothing.
    /// </param>
    internal int Register(int descriptor, IReactorTarget target, bool room) =>
        Register(descriptor, target, room ? ToRead | EPOLLOUT : ToRead);

    /// <summary>The same for a link's descriptor: told again while there is something to read, or with a signal once for each.</summary>
    internal int RegisterLink(int descriptor, IReactorTarget target, bool isSignal) =>
        Register(descriptor, target, isSignal ? EPOLLIN | EPOLLET : EPOLLIN);

    /// <summary>A descriptor that stays open is watched no more.</summary>
    internal void Unregister(int place, int descriptor)
    {
        TryControl(EPOLL_CTL_DEL, descriptor, 0, 0);
        Release(place);
    }

    private int Register(int descriptor, IReactorTarget target, uint events)
    {
        int place;
        uint generation;
        lock (_lock)
        {
            if (!_free.TryPop(out place))
            {
                place = _slots.Count;
                _slots.Add(default);
            }

            generation = _slots[place].Generation;
            _slots[place] = new Slot(target, generation);
        }

        if (TryControl(EPOLL_CTL_ADD, descriptor, events, Key(place, generation)))
            return place;
        int error = Libc.LastError;
        Release(place);
        Marshal.SetLastPInvokeError(error);
        return -1;
    }

    /// <summary>From now on also tells when there is room to write; at once, if there is by now. False when the kernel refuses.</summary>
    internal bool TryWatchRoom(int place, int descriptor)
    {
        uint generation;
        lock (_lock)
            generation = _slots[place].Generation;
        return TryControl(EPOLL_CTL_MOD, descriptor, ToRead | EPOLLOUT, Key(place, generation));
    }

    /// <summary>The descriptor is about to be closed, which takes it off the kernel's list.</summary>
    internal void Release(int place)
    {
        lock (_lock)
        {
            // An event of this batch that is still to be told must not reach the place's next tenant.
            _slots[place] = new Slot(null, _slots[place].Generation + 1);
            _free.Push(place);
        }
    }

    private void Run()
    {
        _current = this;
        byte[] events = GC.AllocateUninitializedArray<byte>(BatchLength * EventLength, pinned: true);
        fixed (byte* batch = events)
        {
            while (!_stopped)
            {
                int count = Libc.EpollWait(_epoll, batch, BatchLength, HasPosted() || _hasMore ? 0 : -1);
                Run(_turnBegins);
                for (int i = 0; i < count; i++)
                    Tell(batch + (i * EventLength));
                if (count == BatchLength)
                    LookAtLinks();
                RunPosted();
                EndTurn();
            }
        }
    }

    private void Run(Action call)
    {
        try
        {
            call();
        }
        catch (Exception defect)
        {
            _met(defect);
        }
    }

    private void EndTurn()
    {
        _hasMore = false;
        try
        {
            _hasMore = _turnEnds();
        }
        catch (Exception defect)
        {
            _met(defect);
        }
    }

    private void Tell(byte* entry)
    {
        uint events = *(uint*)entry;
        ulong key = *(ulong*)(entry + DataOffset);
        int place = (int)(uint)key;
        if (place == WakeSlot)
            return;
        IReactorTarget? target;
        lock (_lock)
            target = _slots[place].Generation == (uint)(key >> 32) ? _slots[place].Target : null;
        if (target is not null)
            Tell(target, events);
    }

    private void Tell(IReactorTarget target, uint events)
    {
        try
        {
            target.OnEvents(events);
        }
        catch (Exception defect)
        {
            _met(defect);
            Run(target.End);
        }
    }

    /// <summary>
    /// The kernel tells of descriptors in the order in which they became ready: behind thousands of sockets a link would have its turn when its peer has long
    /// taken what it sent for lost.
    /// </summary>
    private void LookAtLinks()
    {
        foreach (LinkWatch link in _links)
        {
            if (link.IsWaiting)
                Tell(link, EPOLLIN);
        }
    }

    private bool HasPosted()
    {
        lock (_lock)
        {
            _isWoken = false;
            return _posted.Count != 0;
        }
    }

    /// <summary>What is posted meanwhile waits for the next turn, so that sockets have theirs.</summary>
    private void RunPosted()
    {
        lock (_lock)
            (_posted, _working) = (_working, _posted);
        foreach (IReactorWork work in _working)
        {
            try
            {
                work.Run();
            }
            catch (Exception defect)
            {
                _met(defect);
            }
        }

        _working.Clear();
    }

    private bool TryControl(int operation, int descriptor, uint events, ulong key)
    {
        byte* entry = stackalloc byte[EventLength];
        *(uint*)entry = events;
        *(ulong*)(entry + DataOffset) = key;
        return Libc.EpollControl(_epoll, operation, descriptor, entry) == 0;
    }

    private void CloseDescriptors()
    {
        if (_epoll >= 0)
            _ = Libc.Close(_epoll);
        if (_wake >= 0)
            _ = Libc.Close(_wake);
        _epoll = -1;
    }

    private static ulong Key(int place, uint generation) => (uint)place | ((ulong)generation << 32);

    private readonly record struct Slot(IReactorTarget? Target, uint Generation);
}

/// <summary>Something that wants to run within a reactor's turn.</summary>
public interface IReactorWork
{
    void Run();
}

/// <summary>Whose descriptor it is.</summary>
internal interface IReactorTarget
{
    /// <param name="events">EPOLLIN and its like.</param>
    void OnEvents(uint events);

    /// <summary>It threw when it was told, and what it holds is not to be trusted any more: ends it.</summary>
    void End();
}
