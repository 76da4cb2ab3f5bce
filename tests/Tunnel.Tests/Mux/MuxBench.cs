using System.Buffers.Binary;
using Tunnel.Protocol.Mux;

namespace Tunnel.Tests.Mux;

/// <summary>One multiplexer on the bench: frames made by hand go in, parsed frames come out.</summary>
internal sealed class MuxBench
{
    private readonly byte _version;
    private readonly byte[] _buffer = new byte[1326];

    public MuxBench(MuxOptions? options = null, bool isClient = true, IStreamAdmission? admission = null)
    {
        options ??= new MuxOptions();
        _version = (byte)options.Version;
        Mux = new MuxSession(options, isClient, 0, admission);
    }

    public MuxSession Mux { get; }

    public bool Feed(MuxCommand command, uint id, ReadOnlySpan<byte> data = default) => Feed(Frame(_version, command, id, data));

    public bool Feed(ReadOnlySpan<byte> bytes) => Mux.TryDeliver(bytes);

    public void FeedUpdate(uint id, uint consumed, uint window) => Feed(MuxCommand.WindowUpdate, id, Update(consumed, window));

    public static byte[] Update(uint consumed, uint window)
    {
        byte[] data = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(data, consumed);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(4), window);
        return data;
    }

    public static byte[] Frame(byte version, MuxCommand command, uint id, ReadOnlySpan<byte> data = default)
    {
        byte[] frame = new byte[MuxFrame.HeaderLength + data.Length];
        new MuxFrame(version, command, (ushort)data.Length, id).Write(frame);
        data.CopyTo(frame.AsSpan(MuxFrame.HeaderLength));
        return frame;
    }

    /// <summary>The bytes of one segment.</summary>
    public ReadOnlySpan<byte> Fill(int room = 1326) => _buffer.AsSpan(0, Mux.Fill(_buffer.AsSpan(0, room)));

    /// <summary>Everything that the multiplexer wants to send, up to so many segments.</summary>
    public List<SentFrame> Drain(int segments = 1000)
    {
        var frames = new List<SentFrame>();
        for (; segments > 0 && Mux.HasOutput; segments--)
        {
            ReadOnlySpan<byte> bytes = Fill();
            while (!bytes.IsEmpty)
            {
                MuxFrame frame = MuxFrame.Read(bytes);
                frames.Add(new SentFrame(frame.Command, frame.StreamId, bytes.Slice(MuxFrame.HeaderLength, frame.Length).ToArray()));
                Assert.Equal(_version, frame.Version);
                bytes = bytes[(MuxFrame.HeaderLength + frame.Length)..];
            }
        }

        return frames;
    }

    public List<MuxEvent> Events()
    {
        var events = new List<MuxEvent>();
        while (Mux.TryTakeEvent(out MuxEvent e))
            events.Add(e);
        return events;
    }

    /// <summary>Opens a stream on this end and lets its SYN go.</summary>
    public MuxStream Open()
    {
        MuxStream? stream = Mux.Open();
        Assert.NotNull(stream);
        Drain();
        return stream;
    }

    /// <summary>The peer opens a stream.</summary>
    public MuxStream Accept(uint id)
    {
        Feed(MuxCommand.Open, id);
        MuxStream stream = Mux.Streams.Single(s => s.Id == id);
        Events();
        return stream;
    }

    public byte[] ReadAll(MuxStream stream)
    {
        byte[] data = new byte[stream.Available];
        Assert.Equal(data.Length, Mux.Read(stream, data));
        return data;
    }
}

internal sealed record SentFrame(MuxCommand Command, uint StreamId, byte[] Data);
