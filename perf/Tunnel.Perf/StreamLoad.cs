using Tunnel.Protocol.Mux;

namespace Tunnel.Perf;

/// <summary>Streams that a client writes to in turn and a server reads empty, until a number of bytes has come through.</summary>
internal sealed class StreamLoad
{
    private const int WriteLength = 65_536;

    private readonly byte[] _data = Payload.Create(WriteLength);
    private readonly byte[] _sink = new byte[WriteLength];
    private readonly Queue<MuxStream> _idle = new();
    private readonly MuxSession _client;
    private readonly MuxSession _server;
    private readonly Reader _read;
    private long _toWrite;
    private long _toReceive;

    public StreamLoad(MuxSession client, int streams, MuxSession server, Reader read)
    {
        _client = client;
        _server = server;
        _read = read;
        for (int i = 0; i < streams; i++)
            _idle.Enqueue(client.Open()!);
    }

    /// <summary>How a stream of the receiving end is read.</summary>
    public delegate int Reader(MuxStream stream, Span<byte> destination);

    public long Received { get; private set; }

    public bool IsDone => Received >= _toReceive;

    public void Begin(long bytes)
    {
        _toWrite += bytes;
        _toReceive += bytes;
        Produce();
    }

    /// <summary>Gives every stream that has sent what it had something new.</summary>
    public void Produce()
    {
        while (_client.TryTakeEvent(out MuxEvent e))
        {
            if (e.Kind == MuxEventKind.Written)
                _idle.Enqueue(e.Stream);
        }

        while (_toWrite > 0 && _idle.TryDequeue(out MuxStream? stream))
        {
            int length = (int)Math.Min(WriteLength, _toWrite);
            _client.TryWrite(stream, _data.AsMemory(0, length));
            _toWrite -= length;
        }
    }

    public void Consume()
    {
        while (_server.TryTakeEvent(out MuxEvent e))
        {
            while (e.Kind == MuxEventKind.Readable && _read(e.Stream, _sink) is > 0 and int count)
                Received += count;
        }
    }
}
