using System.Net;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Sessions;

public class SessionTableTests
{
    private static readonly Endpoint Peer = Endpoint.FromIPEndPoint(new IPEndPoint(IPAddress.Loopback, 1000));
    private static readonly Endpoint OtherPort = Endpoint.FromIPEndPoint(new IPEndPoint(IPAddress.Loopback, 1001));

    [Theory]
    [InlineData(KcpCommand.Push, 0u, 0u, DropReason.None)]
    [InlineData(KcpCommand.Push, 127u, 0u, DropReason.None)]
    [InlineData(KcpCommand.Push, 128u, 0u, DropReason.UnknownPeer)]
    [InlineData(KcpCommand.Push, 0u, 1u, DropReason.UnknownPeer)]
    [InlineData(KcpCommand.Ack, 0u, 0u, DropReason.UnknownPeer)]
    [InlineData(KcpCommand.WindowAsk, 0u, 0u, DropReason.UnknownPeer)]
    public void OnlyABeginningIsAdmitted(KcpCommand command, uint number, uint una, DropReason expected)
    {
        byte[] payload = Segment(command, number, una);
        Assert.Equal(expected, new SessionTable<string>(1).Admit(payload, out uint conv));
        Assert.Equal(9u, conv);
        Assert.Equal(expected, SessionTable<string>.Begins(payload, out _));
    }

    [Fact]
    public void TheCap()
    {
        var table = new SessionTable<string>(2);
        table.Set(Peer, "a");
        Assert.Equal(DropReason.None, table.Admit(Segment(KcpCommand.Push, 0, 0), out _));
        table.Set(OtherPort, "b");
        Assert.Equal(DropReason.SessionLimit, table.Admit(Segment(KcpCommand.Push, 0, 0), out _));
        Assert.True(table.Remove(Peer, "a"));
        Assert.Equal(DropReason.None, table.Admit(Segment(KcpCommand.Push, 0, 0), out _));
    }

    [Fact]
    public void RemovingAReplacedSessionLeavesItsSuccessor()
    {
        var table = new SessionTable<string>(2);
        table.Set(Peer, "old");
        table.Set(Peer, "new");
        Assert.False(table.Remove(Peer, "old"));
        Assert.True(table.TryGet(Peer, out string? session));
        Assert.Equal("new", session);
        Assert.False(table.TryGet(OtherPort, out _));
        Assert.Equal((1, "new"), (table.Count, Assert.Single(table.Sessions)));
    }

    [Theory]
    [InlineData(0xF1)]
    [InlineData(0xF2)]
    [InlineData(0xF3)]
    public void ForwardErrorCorrectionIsNamed(byte type)
    {
        byte[] payload = new byte[60];
        payload[4] = type;
        Assert.Equal(DropReason.Fec, Datagram.Classify(payload));
        Assert.Equal(DropReason.Fec, Datagram.Classify(payload.AsSpan(0, 12)));
        Assert.Equal(DropReason.Fec, new SessionTable<string>(1).Admit(payload, out _));
        payload[5] = 1;
        Assert.Equal(DropReason.None, Datagram.Classify(payload));
    }

    [Theory]
    [InlineData(0, DropReason.TooShort)]
    [InlineData(11, DropReason.TooShort)]
    [InlineData(23, DropReason.TooShort)]
    [InlineData(24, DropReason.None)]
    public void ShortPayloads(int length, DropReason expected) => Assert.Equal(expected, Datagram.Classify(new byte[length]));

    private static byte[] Segment(KcpCommand command, uint number, uint una)
    {
        byte[] payload = new byte[KcpSegment.HeaderLength];
        new KcpSegment(9, command, 0, 128, 0, number, una, 0).Write(payload);
        return payload;
    }
}
