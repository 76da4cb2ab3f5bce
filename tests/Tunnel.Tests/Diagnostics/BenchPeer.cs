using System.Net;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Tests.Mux;

namespace Tunnel.Tests.Diagnostics;

/// <summary>A peer of a <see cref="ServerBench"/> whose segments are made by hand; it speaks smux 2 in order, and loses nothing.</summary>
internal sealed class BenchPeer(ServerBench bench, int host, uint conv)
{
    private const int SegmentData = 1300;

    private readonly IPEndPoint _address = new(new IPAddress([198, 51, 100, (byte)host]), 1000);
    private uint _next;

    /// <summary>The session that the server made for it last.</summary>
    public PeerSession Session => bench.Opened.Last(s => s.Peer.ToIPEndPoint().Equals(_address));

    public void Say(MuxCommand command, uint stream, ReadOnlySpan<byte> data = default) => Say(MuxBench.Frame(2, command, stream, data));

    /// <summary>Bytes of the multiplexer, over as many segments as they take.</summary>
    public void Say(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int length = Math.Min(bytes.Length, SegmentData);
            byte[] segment = new byte[KcpSegment.HeaderLength + length];
            new KcpSegment(conv, KcpCommand.Push, 0, 128, 0, _next++, 0, (uint)length).Write(segment);
            bytes[..length].CopyTo(segment.AsSpan(KcpSegment.HeaderLength));
            bench.Take(_address, segment);
            bytes = bytes[length..];
        }
    }

    /// <summary>Acknowledges the data segment that the server sent last, and all before it.</summary>
    public void Acknowledge()
    {
        Assert.True(KcpSegment.TryRead(bench.Carrier.LastSent, out KcpSegment push) && push.Command == KcpCommand.Push);
        Send(new KcpSegment(conv, KcpCommand.Ack, 0, 128, push.Timestamp, push.Number, push.Number + 1, 0));
    }

    public void Send(KcpSegment header)
    {
        byte[] segment = new byte[KcpSegment.HeaderLength];
        header.Write(segment);
        bench.Take(_address, segment);
    }
}
