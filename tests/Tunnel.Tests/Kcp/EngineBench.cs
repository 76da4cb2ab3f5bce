using Tunnel.Protocol.Kcp;

namespace Tunnel.Tests.Kcp;

/// <summary>One engine on the bench: segments made by hand go in, parsed segments come out.</summary>
internal sealed class EngineBench
{
    public const uint Conv = 7;

    private readonly byte[] _buffer = new byte[KcpEngine.MaximumDatagram];

    public EngineBench(KcpOptions options, uint firstNumber = 0)
    {
        Engine = new KcpEngine(options, Conv, User, firstNumber);
    }

    /// <summary>Reads zeros only where a test feeds it; see <see cref="Push"/>.</summary>
    public ScriptedUser User { get; } = new();

    public KcpEngine Engine { get; }

    /// <summary>Datagrams that the last <see cref="Drain"/> took.</summary>
    public int Datagrams { get; private set; }

    /// <summary>Everything that the engine wants to send now.</summary>
    public List<KcpSegment> Drain(long now)
    {
        var segments = new List<KcpSegment>();
        Datagrams = 0;
        for (int length; (length = Engine.Transmit(_buffer, now)) != 0; Datagrams++)
            segments.AddRange(Parse(_buffer.AsSpan(0, length)));
        return segments;
    }

    public List<KcpSegment> AdvanceAndDrain(long now)
    {
        Engine.Advance(now);
        return Drain(now);
    }

    /// <summary>Numbers of the PUSH segments among <see cref="Drain"/>'s.</summary>
    public uint[] Pushes(long now) => [.. Drain(now).Where(s => s.Command == KcpCommand.Push).Select(s => s.Number)];

    public bool Ack(long now, uint number, uint timestamp, uint una, ushort window = 1000) =>
        Feed(now, new KcpSegment(Conv, KcpCommand.Ack, 0, window, timestamp, number, una, 0));

    public bool Push(long now, uint number, int length = 10, uint timestamp = 0, ushort window = 1000) =>
        Feed(now, new KcpSegment(Conv, KcpCommand.Push, 0, window, timestamp, number, 0, (uint)length));

    public bool Tell(long now, ushort window, uint una = 0) =>
        Feed(now, new KcpSegment(Conv, KcpCommand.WindowTell, 0, window, 0, 0, una, 0));

    /// <summary>Feeds one datagram; a PUSH segment of 10 bytes carries what the user expects at 10 times its number.</summary>
    public bool Feed(long now, params ReadOnlySpan<KcpSegment> segments)
    {
        var datagram = new List<byte>();
        byte[] header = new byte[KcpSegment.HeaderLength];
        foreach (KcpSegment segment in segments)
        {
            segment.Write(header);
            datagram.AddRange(header);
            if (segment.Command != KcpCommand.Push || segment.Length > 1500)
                continue;
            byte[] data = new byte[segment.Length];
            Simulation.Pattern.Fill(2, segment.Number * segment.Length, data);
            datagram.AddRange(data);
        }

        return Engine.Receive(datagram.ToArray(), now);
    }

    private static List<KcpSegment> Parse(ReadOnlySpan<byte> datagram)
    {
        var segments = new List<KcpSegment>();
        while (KcpSegment.TryRead(datagram, out KcpSegment segment))
        {
            segments.Add(segment);
            datagram = datagram[(KcpSegment.HeaderLength + (int)segment.Length)..];
        }

        Assert.True(datagram.IsEmpty);
        return segments;
    }
}
