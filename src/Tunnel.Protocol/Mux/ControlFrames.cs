namespace Tunnel.Protocol.Mux;

/// <summary>
/// Frames that wait to be sent and carry no stream's data, in their order: openings, windows and signs of life first, then the ends of streams
/// that were closed, which nobody is in a hurry for. They are as many as the peer lets them become: whoever adds bounds them.
/// </summary>
internal sealed class ControlFrames
{
    private const int Crowd = 16_384;

    private readonly Queue<Waiting> _first = new();
    private readonly Queue<(MuxCommand Command, uint Id)> _endings = new();

    public int Count => _first.Count + _endings.Count;

    /// <summary>So many wait that this end should add no more by itself.</summary>
    public bool IsCrowded => _first.Count >= Crowd || _endings.Count >= Crowd;

    /// <summary>Nothing waits that is sent before a sign of life would be.</summary>
    public bool IsQuiet => _first.Count == 0;

    public void AddOpening(uint id) => _first.Enqueue(new Waiting(MuxCommand.Open, id));

    public void AddSignOfLife() => _first.Enqueue(new Waiting(MuxCommand.KeepAlive, 0));

    public void AddWindow(uint id, uint consumed, int window) =>
        _first.Enqueue(new Waiting(MuxCommand.WindowUpdate, id, consumed, (uint)window));

    /// <param name="command">How it ends: <see cref="MuxCommand.Finish"/> or <see cref="MuxCommand.Reset"/>.</param>
    /// <param name="id">The stream.</param>
    public void AddEnding(MuxCommand command, uint id) => _endings.Enqueue((command, id));

    public void Clear()
    {
        _first.Clear();
        _endings.Clear();
    }

    /// <summary>Writes what there is room for; true when nothing waits any more.</summary>
    public bool TryWriteAll(ref FrameWriter writer)
    {
        while (_first.TryPeek(out Waiting frame))
        {
            if (!frame.TryWrite(ref writer))
                return false;
            _first.Dequeue();
        }

        while (_endings.TryPeek(out var ending))
        {
            if (!writer.TryWrite(ending.Command, ending.Id))
                return false;
            _endings.Dequeue();
        }

        return true;
    }

    private readonly record struct Waiting(MuxCommand Command, uint Id, uint Consumed = 0, uint Window = 0)
    {
        public bool TryWrite(ref FrameWriter writer) =>
            Command == MuxCommand.WindowUpdate ? writer.TryWriteUpdate(Id, Consumed, Window) : writer.TryWrite(Command, Id);
    }
}
