using Tunnel.Protocol.Mux;

namespace Tunnel.App.Runtime;

/// <summary>
/// Tells streams what happened, after their session's lock is released. What a stream does in answer may enter a session again on
/// the same thread; its events then join the queue of the outermost call, so that the stack does not grow.
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

    public static void Run()
    {
        State state = Current;
        if (state.IsRunning)
            return;
        state.IsRunning = true;
        try
        {
            while (state.Queue.TryDequeue(out Notice notice))
                notice.Deliver();
        }
        finally
        {
            state.IsRunning = false;
        }
    }

    private static State Current => _state ??= new State();

    private sealed class State
    {
        public readonly Queue<Notice> Queue = new();
        public bool IsRunning;
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
    }
}
