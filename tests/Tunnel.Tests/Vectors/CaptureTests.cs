using System.Buffers.Binary;
using System.Text;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Tests.Vectors;

/// <summary>
/// What real peers said, heard by our own session in the place of either of them: every stream, every byte, both ways.
/// </summary>
public class CaptureTests
{
    private static readonly byte[] Small = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("0123456789", 10)));

    private static readonly byte[] Large = [.. Enumerable.Range(0, 50_000).Select(i => (byte)(7 * i + 3))];

    public static TheoryData<string> Names => [.. Recordings.All];

    [Theory]
    [MemberData(nameof(Names))]
    public void TheServersPlace(string name)
    {
        List<CapturedDatagram> datagrams = CapturedDatagram.Read(name, fromClient: true);
        using Session session = Listener(name, datagrams, isClient: false);
        Dictionary<uint, byte[]> streams = Hear(session, datagrams);
        Assert.All(streams.Keys, id => Assert.Equal(1u, id % 2));
        byte[][] contents = [.. streams.OrderBy(s => s.Key).Select(s => WithoutHeader(name, s.Value)).Where(data => data.Length != 0)];
        Assert.Equal(2, contents.Length);
        Assert.Equal(Small, contents[0]);
        Assert.Equal(Large, contents[1]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TheClientsPlace(string name)
    {
        List<CapturedDatagram> datagrams = CapturedDatagram.Read(name, fromClient: false);
        using Session session = Listener(name, datagrams, isClient: true);
        for (int i = 0; i < 8; i++)
            session.Mux.Open();
        byte[][] contents = [.. Hear(session, datagrams).OrderBy(s => s.Key).Select(s => s.Value).Where(data => data.Length > 5)];
        Assert.Equal(2, contents.Length);
        Assert.Equal(Small, contents[0]);
        Assert.Equal(Large, contents[1]);
    }

    private static Session Listener(string name, List<CapturedDatagram> datagrams, bool isClient)
    {
        DatagramCipher cipher = CapturedDatagram.Cipher(name);
        Assert.True(cipher.TryOpen(datagrams[0].Bytes, new byte[1500], out ReadOnlySpan<byte> payload));
        Assert.Equal(DropReason.None, isClient ? DropReason.None : new SessionTable<string>(1).Admit(payload, out _));
        uint conv = BinaryPrimitives.ReadUInt32LittleEndian(payload);
        SessionOptions options = SessionOptions.Create(new KcpOptions(), new MuxOptions(), 1350, cipher.Overhead);
        return new Session(options, cipher, conv, isClient, datagrams[0].Time);
    }

    private static Dictionary<uint, byte[]> Hear(Session session, List<CapturedDatagram> datagrams)
    {
        var heard = new Dictionary<uint, List<byte>>();
        byte[] buffer = new byte[65_536];
        foreach (CapturedDatagram datagram in datagrams)
        {
            Assert.Equal(DropReason.None, session.Receive(datagram.Bytes, datagram.Time));
            while (session.TryTakeEvent(out MuxEvent e))
            {
                if (e.Kind == MuxEventKind.Readable)
                    ReadAll(session, e.Stream, heard);
            }

            while (!session.Transmit(buffer, 0, datagram.Time).IsEmpty)
            {
                // What our end would have answered; nobody is there.
            }
        }

        Assert.False(session.IsClosed);
        Assert.Equal((0, 0), (session.Kcp.Counters.Malformed, session.Kcp.Counters.OutOfWindow));
        return heard.ToDictionary(s => s.Key, s => s.Value.ToArray());
    }

    private static void ReadAll(Session session, MuxStream stream, Dictionary<uint, List<byte>> heard)
    {
        byte[] buffer = new byte[stream.Available];
        Assert.Equal(buffer.Length, session.Read(stream, buffer));
        if (!heard.TryGetValue(stream.Id, out List<byte>? bytes))
            heard.Add(stream.Id, bytes = []);
        bytes.AddRange(buffer);
    }

    /// <summary>What follows the header of the peer's version; kcptun has none.</summary>
    private static byte[] WithoutHeader(string name, byte[] stream)
    {
        if (name.StartsWith("kcptun", StringComparison.Ordinal) || stream.Length == 0)
            return stream;
        HeaderStatus status = StreamHeaderReader.TryRead(stream, out StreamHeader? header, out HeaderFormat format, out int length);
        Assert.Equal(HeaderStatus.Complete, status);
        Assert.Equal(name == Recordings.Guarded ? HeaderFormat.V3 : HeaderFormat.V1, format);
        if (header!.Request != StreamRequest.Tcp)
            return [];
        Assert.InRange(header.Target.Port, 1, 65_535);
        Assert.NotEmpty(header.Target.Host);
        return stream[length..];
    }
}
