using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Crypto;

namespace Tunnel.Tests.Sessions;

public class SessionTests
{
    private const int Mtu = 1350;

    [Theory]
    [InlineData("aes", 1330)]
    [InlineData("aes-128-gcm", 1322)]
    [InlineData("null", 1350)]
    public void TheCipherTakesItsShareOfTheMtu(string name, int kcpMtu)
    {
        using DatagramCipher cipher = WireVectors.Cipher(name);
        Assert.Equal(kcpMtu, SessionOptions.Create(new KcpOptions(), new MuxOptions(), Mtu, cipher.Overhead).Kcp.Mtu);
        Assert.Equal(1500, SessionOptions.Create(new KcpOptions(), new MuxOptions(), 9000, cipher.Overhead).Mtu);
    }

    [Fact]
    public void DropsByReason()
    {
        using Session session = Make("aes", 7), other = Make("aes", 8);
        Assert.Equal(DropReason.TooLong, session.Receive(new byte[KcpEngine.LargestDatagram + 1], Instant.Zero));
        Assert.Equal(DropReason.Cipher, session.Receive(new byte[100], Instant.Zero));
        Assert.Equal(DropReason.Cipher, session.Receive([], Instant.Zero));
        Assert.Equal(DropReason.TooShort, session.ReceiveOpened(new byte[3], Instant.Zero));
        other.Mux.Open();
        byte[] buffer = new byte[Mtu];
        TransmitRun run = other.Transmit(buffer, 0, Instant.Zero);
        Assert.Equal(DropReason.Conversation, session.Receive(buffer.AsSpan(run[0]), Instant.Zero));
        byte[] malformed = new byte[24];
        malformed[0] = 7;
        Assert.Equal(DropReason.Kcp, session.ReceiveOpened(malformed, Instant.Zero));
        session.Close(CloseReason.Replaced);
        Assert.Equal(DropReason.Closed, session.ReceiveOpened(malformed, Instant.Zero));
    }

    [Theory]
    [InlineData("aes")]
    [InlineData("aes-128-gcm")]
    [InlineData("null")]
    public void ARunIsOfEqualDatagramsButTheLast(string cipher)
    {
        using Session session = Make(cipher, 7);
        MuxStream stream = session.Mux.Open()!;
        session.Mux.TryWrite(stream, new byte[20_000]);
        byte[] buffer = new byte[65_536];
        TransmitRun run = session.Transmit(buffer, 54, Instant.Zero);
        Assert.InRange(run.Count, 15, 17);
        Assert.Equal(54 + Mtu, run.Stride);
        for (int i = 0; i < run.Count - 1; i++)
            Assert.Equal(54 + Mtu, buffer.AsSpan(run[i]).Length);
        Assert.InRange(buffer.AsSpan(run[run.Count - 1]).Length, 55, 54 + Mtu);
        Assert.True(session.Transmit(buffer, 54, Instant.Zero).IsEmpty);
        Assert.True(session.Transmit(buffer.AsSpan(0, 100), 54, Instant.Zero).IsEmpty);
    }

    private static Session Make(string name, uint conv)
    {
        DatagramCipher cipher = WireVectors.Cipher(name);
        SessionOptions options = SessionOptions.Create(new KcpOptions(), new MuxOptions(), Mtu, cipher.Overhead);
        return new Session(options, cipher, conv, true, Instant.Zero);
    }
}
