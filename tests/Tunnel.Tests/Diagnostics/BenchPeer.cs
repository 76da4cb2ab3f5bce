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

    /// <summary>The session that the server has with it, once it has spoken.</summary>
    public PeerSession Session => Assert.Single(bench.Sessions.GetAll(), s => s.Peer.ToIPEndPoint().Equals(_address));

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

    /// <summary>Acknowledges everything that the server has sent in segments below a number.</summary>
    public void Acknowledge(uint below) => Send(new KcpSegment(conv, KcpCommand.WindowTell, 0, 128, 0, 0, below, 0));

    public void Send(KcpSegment header)
    {
        byte[] segment = new byte[KcpSegment.HeaderLength];
        header.Write(segment);
        bench.Take(_address, segment);
    }
}
