using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tunnel.Tests.Runtime.Resolving;

/// <summary>A name server on loopback, over UDP and TCP on one port: the test says what it answers.</summary>
internal sealed class FakeNameServer : IDisposable
{
    private const int MaximumTries = 100;

    private readonly Socket _udp;
    private readonly Socket _tcp;
    private int _questions;

    /// <param name="answerUdp">From a query to the datagrams that come back.</param>
    /// <param name="answerTcp">From a query to the message that comes back; null: nobody listens.</param>
    public FakeNameServer(Func<byte[], IEnumerable<byte[]>> answerUdp, Func<byte[], byte[]>? answerTcp = null)
    {
        (_udp, _tcp) = Bind();
        EndPoint = (IPEndPoint)_udp.LocalEndPoint!;
        _ = ServeUdpAsync(answerUdp);
        if (answerTcp is null)
            return;
        _tcp.Listen();
        _ = ServeTcpAsync(answerTcp);
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>Queries over UDP so far.</summary>
    public int Questions => Volatile.Read(ref _questions);

    public void Dispose()
    {
        _udp.Dispose();
        _tcp.Dispose();
    }

    /// <summary>One port for both: that it is free for the one does not say so for the other.</summary>
    private static (Socket Udp, Socket Tcp) Bind()
    {
        for (int i = 1; ; i++)
        {
            var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                tcp.Bind(udp.LocalEndPoint!);
                return (udp, tcp);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && i < MaximumTries)
            {
                udp.Dispose();
                tcp.Dispose();
            }
        }
    }

    /// <summary>An answer to a query with records behind its question.</summary>
    public static byte[] Answer(byte[] query, params byte[][] records)
    {
        byte[] answer = [.. query, .. records.SelectMany(r => r)];
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(2), 0x8180);
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(6), (ushort)records.Length);
        return answer;
    }

    public static byte[] Truncated(byte[] query)
    {
        byte[] answer = Answer(query);
        answer[2] |= 2;
        return answer;
    }

    public static byte[] Failed(byte[] query, int code)
    {
        byte[] answer = Answer(query);
        answer[3] |= (byte)code;
        return answer;
    }

    /// <summary>A record of the name that was asked for, which a pointer stands for.</summary>
    public static byte[] Srv(string target, int port, int priority = 0, int weight = 0, uint timeToLive = 60) =>
        Record([0xC0, 12], 33, timeToLive, [.. Number(priority), .. Number(weight), .. Number(port), .. Name(target)]);

    public static byte[] Alias(string target, byte[]? owner = null) => Record(owner ?? [0xC0, 12], 5, 60, Name(target));

    public static byte[] Record(byte[] owner, int type, uint timeToLive, byte[] data)
    {
        byte[] life = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(life, timeToLive);
        return [.. owner, .. Number(type), .. Number(1), .. life, .. Number(data.Length), .. data];
    }

    public static byte[] Name(string name) =>
        [.. name.Split('.', StringSplitOptions.RemoveEmptyEntries).SelectMany(l => (byte[])[(byte)l.Length, .. Encoding.ASCII.GetBytes(l)]), 0];

    public static byte[] Number(int value) => [(byte)(value >> 8), (byte)value];

    private async Task ServeUdpAsync(Func<byte[], IEnumerable<byte[]>> answer)
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (true)
            {
                SocketReceiveFromResult query = await _udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                Interlocked.Increment(ref _questions);
                foreach (byte[] message in answer(buffer[..query.ReceivedBytes]))
                    await _udp.SendToAsync(message, query.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeTcpAsync(Func<byte[], byte[]> answer)
    {
        try
        {
            while (true)
            {
                using Socket socket = await _tcp.AcceptAsync();
                using var stream = new NetworkStream(socket);
                byte[] length = new byte[2];
                await stream.ReadExactlyAsync(length);
                byte[] query = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                await stream.ReadExactlyAsync(query);
                byte[] message = answer(query);
                await stream.WriteAsync((byte[])[.. Number(message.Length), .. message]);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
