using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Crypto;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Kcp;

/// <summary>In the steady state nothing is allocated: counted exactly, on this thread.</summary>
public class AllocationTests
{
    private const int Packets = 10_000;
    private const int LossEvery = 50;

    [Fact]
    public void TheEngine()
    {
        var options = new KcpOptions { SendWindow = 64 };
        ScriptedUser sender = new(1, 2) { ToSend = long.MaxValue }, receiver = new(2, 1);
        KcpEngine a = new(options, 1, sender), b = new(options, 1, receiver);
        byte[] buffer = new byte[1500];
        long now = 0;
        Exchange(a, b, buffer, ref now, 2 * Packets);
        Assert.Equal(0, Allocations.Least(() => Exchange(a, b, buffer, ref now, Packets)));
        Assert.True(a.Counters.Retransmits > 0);
    }

    [Theory]
    [InlineData("aes")]
    [InlineData("aes-128-gcm")]
    [InlineData("salsa20")]
    public void TheSession(string cipher)
    {
        using Session a = Make(cipher, true), b = Make(cipher, false);
        MuxStream stream = a.Mux.Open()!;
        byte[] data = new byte[30_000], buffer = new byte[65_536], received = new byte[30_000];
        var now = new Instant(1);
        a.Mux.TryWrite(stream, data);
        Exchange(a, b, data, buffer, received, ref now, 400);
        int packets = 0;
        Assert.Equal(0, Allocations.Least(() => packets = Exchange(a, b, data, buffer, received, ref now, 400)));
        Assert.InRange(packets, Packets, int.MaxValue);
    }

    private static void Exchange(KcpEngine a, KcpEngine b, byte[] buffer, ref long now, int packets)
    {
        for (int sent = 0; sent < packets; now += 5)
        {
            a.Advance(now);
            for (int length; (length = a.Transmit(buffer, now)) != 0; sent++)
            {
                if (sent % LossEvery != 0)
                    b.Receive(buffer.AsSpan(0, length), now);
            }

            b.Advance(now);
            for (int length; (length = b.Transmit(buffer, now)) != 0;)
                a.Receive(buffer.AsSpan(0, length), now);
        }
    }

    private static int Exchange(Session a, Session b, byte[] data, byte[] buffer, byte[] received, ref Instant now, int rounds)
    {
        int packets = 0;
        for (int i = 0; i < rounds; i++)
        {
            now = now.AddMilliseconds(5);
            packets += Move(a, b, buffer, now);
            while (b.TryTakeEvent(out MuxEvent e))
            {
                if (e.Kind == MuxEventKind.Readable)
                    b.Read(e.Stream, received);
            }

            packets += Move(b, a, buffer, now);
            while (a.TryTakeEvent(out MuxEvent e))
            {
                if (e.Kind == MuxEventKind.Written)
                    a.Mux.TryWrite(e.Stream, data);
            }
        }

        return packets;
    }

    private static int Move(Session from, Session to, byte[] buffer, Instant now)
    {
        int packets = 0;
        from.Advance(now);
        for (TransmitRun run; !(run = from.Transmit(buffer, 0, now)).IsEmpty; packets += run.Count)
        {
            for (int i = 0; i < run.Count; i++)
                to.Receive(buffer.AsSpan(run[i]), now);
        }

        return packets;
    }

    private static Session Make(string name, bool isClient)
    {
        DatagramCipher cipher = WireVectors.Cipher(name);
        SessionOptions options = SessionOptions.Create(new KcpOptions(), new MuxOptions(), 1350, cipher.Overhead);
        return new Session(options, cipher, 7, isClient, Instant.Zero);
    }
}
