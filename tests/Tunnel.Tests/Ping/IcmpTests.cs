using System.Buffers.Binary;
using System.Net;
using Tunnel.Ctl.Ping;

namespace Tunnel.Tests.Ping;

public class IcmpTests
{
    private const ushort Id = 77;

    private static readonly IPAddress V4 = IPAddress.Parse("10.0.0.2");
    private static readonly IPAddress V6 = IPAddress.Parse("fd00::2");

    [Theory]
    [InlineData(3, 3, "port unreachable")]
    [InlineData(3, 13, "prohibited by a firewall")]
    [InlineData(3, 4, "packet too big, the MTU is 1280: lower transport.kcp.mtu")]
    [InlineData(11, 0, "time to live exceeded: a routing loop?")]
    [InlineData(0, 0, null)]
    public void ErrorsAboutTheServerAreRead(byte type, byte code, string? says)
    {
        Assert.Equal(says, IcmpError.ReadV4(ErrorV4(type, code), V4));
        Assert.Null(IcmpError.ReadV4(ErrorV4(type, code), IPAddress.Parse("10.0.0.3")));
    }

    [Theory]
    [InlineData(1, 4, "port unreachable")]
    [InlineData(2, 0, "packet too big, the MTU is 1280: lower transport.kcp.mtu")]
    [InlineData(129, 0, null)]
    public void ErrorsOfIPv6Too(byte type, byte code, string? says) => Assert.Equal(says, IcmpError.ReadV6(ErrorV6(type, code), V6));

    [Fact]
    public void WhatIsCutShortIsNoError()
    {
        for (int length = 0; length < ErrorV4(3, 3).Length; length++)
            Assert.Null(IcmpError.ReadV4(ErrorV4(3, 3).AsSpan(0, length), V4));
        for (int length = 0; length < ErrorV6(1, 4).Length; length++)
            Assert.Null(IcmpError.ReadV6(ErrorV6(1, 4).AsSpan(0, length), V6));
    }

    [Fact]
    public void AClockIsReadFromItsAnswerOnly()
    {
        byte[] answer = [.. new byte[20], .. IcmpClock.Write(Id, 5)];
        answer[0] = 0x45;
        answer[20] = 14;
        BinaryPrimitives.WriteUInt32BigEndian(answer.AsSpan(32), 1234);
        Assert.Equal(1234u, IcmpClock.Read(answer, Id));
        Assert.Null(IcmpClock.Read(answer, Id + 1));
        Assert.Null(IcmpClock.Read(answer.AsSpan(0, 39), Id));
        answer[32] = 0x80;
        Assert.Null(IcmpClock.Read(answer, Id));
    }

    [Theory]
    [InlineData(10_000, 1_000, 1_200, 8.9)]
    [InlineData(500, 86_399_900, 86_399_900, 0.6)]
    [InlineData(86_399_900, 100, 300, -0.3)]
    public void ADifferenceIsTakenTheShorterWay(uint theirs, uint sent, uint back, double seconds) =>
        Assert.Equal(seconds, IcmpClock.Difference(theirs, sent, back), 6);

    private static byte[] ErrorV4(byte type, byte code)
    {
        byte[] packet = new byte[20 + 8 + 20];
        packet[0] = 0x45;
        (packet[20], packet[21]) = (type, code);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(26), 1280);
        V4.TryWriteBytes(packet.AsSpan(28 + 16), out _);
        return packet;
    }

    private static byte[] ErrorV6(byte type, byte code)
    {
        byte[] message = new byte[8 + 40];
        (message[0], message[1]) = (type, code);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(4), 1280);
        V6.TryWriteBytes(message.AsSpan(8 + 24), out _);
        return message;
    }
}
