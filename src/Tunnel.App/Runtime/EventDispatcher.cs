using System.Diagnostics;
using Tunnel.Protocol.Mux;

namespace Tunnel.App.Runtime;

/// <summary>
/// Tells streams what happened, after their session's lock is released. What a stream does in answer may enter a session again on
/// the same thread; its events then join the queue of the outermost call, so that the stack does not grow, and what it writes leaves
/// once all have been told, so that what many streams say shares datagrams and system calls. Whoever throws when told loses its stream, and no
/// other: the thread is a reactor's or the deadlines'.
/// </summary>
internal static class EventDispatcher
{
    [ThreadStatic]
    private static State? _state;

    public static void Enqueue(MuxEvent e)
    {
        if (e.Stream.Tag is TunnelStream stream)
            Current.Queue.Enqueue(new Notice(stream, e.Kind, null));
    }

    public static void EnqueueOpened(TunnelStream stream, ISessionOwner owner) =>
        Current.Queue.Enqueue(new Notice(stream, MuxEventKind.Opened, owner));

    /// <summary>Within a turn of this thread: the session's output leaves at its end. False outside of one.</summary>
    public static bool TryDefer(PeerSession session)
    {
        if (_state is not { IsRunning: true } state)
            return false;
        state.Touch(session);
        return true;
    }

    /// <summary>Tells all, unless a turn of this thread is under way that will.</summary>
    public static void Run()
    {
        State state = Current;
        if (state.IsRunning || state.Queue.Count == 0)
            return;
        state.IsRunning = true;
        state.Finish(mostUntold: 0);
    }

    /// <summary>Begins a reactor's turn: a batch of links and sockets, whose sessions are touched by somebody else than their events.</summary>
    public static void BeginTurn() => Current.IsRunning = true;

    /// <summary>
    /// Within a turn: those are told that have something by now, and what was written leaves, before it goes on. A batch of a server's link may be of
    /// hundreds of strangers, each of whom takes the place of the one before: all that waits for the turn's end outlives the collector's young
    /// generation. Outside of one nothing waits.
    /// </summary>
    public static void TellNow()
    {
        State state = Current;
        if (!state.IsRunning)
            return;
        state.Finish(State.MostUntold);
        state.IsRunning = true;
    }

    /// <summary>
    /// Ends it: about as many as are told in a row are told, and what was written leaves. True: some are untold, and wait for the next turn, which
    /// is to come soon, and looks after what has arrived in between. Telling a storm of new streams, each of which is connected to its target,
    /// takes longer than a peer waits for its acknowledgements.
    /// </summary>
    public static bool EndTurn()
    {
        State state = Current;
        state.Finish(mostUntold: State.MostUntold);
        return state.Queue.Count != 0;
    }

    private static State Current => _state ??= new State();

    private sealed class State
    {
        /// <summary>
        /// Streams that are told before what was written leaves, and with it what their session acknowledges: unless that takes too long.
        /// </summary>
        private const int MostInARow = 128;

        /// <summary>That may be told without a look at the clock: each may take the tenth of a millisecond that connecting to a target does.</summary>
        private const int FewInARow = 8;

        /// <summary>Ten milliseconds, by the stopwatch.</summary>
        private static readonly long LongInARow = Stopwatch.Frequency / 100;

        /// <summary>
        /// What a turn may leave untold: streams that a peer opens and resets at once are bounded by nothing else. Above it, what
        /// arrives waits in the kernel, acknowledgements too: so it is some for each stream that may be open by default.
        /// </summary>
        public const int MostUntold = 65_536;

        public readonly Queue<Notice> Queue = new();
        private List<PeerSession> _touched = [];
        private List<PeerSession> _leaving = [];

        public bool IsRunning;

        public void Touch(PeerSession session)
        {
            // Few: those of the links that have something, or those that local sockets write to.
            if (!_touched.Contains(session))
                _touched.Add(session);
        }

        public void Finish(int mostUntold)
        {
            int told = 0;
            bool isLong;
            do
            {
                long began = 0;
                isLong = false;
                for (int i = 1; i <= MostInARow && !isLong && Queue.TryDequeue(out Notice notice); i++, told++)
                {
                    Deliver(notice);
                    isLong = i % FewInARow == 0 && IsLong(ref began);
                }

                Flush();
            }
            while (Queue.Count > (told < MostInARow && !isLong ? 0 : mostUntold));
            IsRunning = false;
        }

        /// <summary>Whether telling has taken too long since this was asked first.</summary>
        private static bool IsLong(ref long began)
        {
            long now = Stopwatch.GetTimestamp();
            if (began == 0)
                began = now;
            return now - began >= LongInARow;
        }

        private static void Deliver(in Notice notice)
        {
            try
            {
                notice.Deliver();
            }
            catch (Exception defect)
            {
                DefectLog.OfProcess.Met(defect, "a stream");
                notice.End();
            }
        }

        private void Flush()
        {
            // What is touched meanwhile is not among those that leave now.
            while (_touched.Count != 0)
            {
                (_touched, _leaving) = (_leaving, _touched);
                foreach (PeerSession session in _leaving)
                    LookAfter(session);
                _leaving.Clear();
            }
        }

        private static void LookAfter(PeerSession session)
        {
            try
            {
                session.LookAfter();
            }
            catch (Exception defect)
            {
                // Sessions see to their own defects; this one's owner threw when told of its end.
                DefectLog.OfProcess.Met(defect, "a session");
            }
        }
    }

    private readonly record struct Notice(TunnelStream Stream, MuxEventKind Kind, ISessionOwner? Owner)
    {
        public void Deliver()
        {
            if (Owner is not null)
                Owner.OnStreamOpened(Stream);
            else
                Stream.OnEvent(Kind);
        }

        /// <summary>Whoever was told threw.</summary>
        public void End()
        {
            try
            {
                Stream.Close();
            }
            catch (Exception defect)
            {
                DefectLog.OfProcess.Met(defect, "a stream");
            }
        }
    }
}
