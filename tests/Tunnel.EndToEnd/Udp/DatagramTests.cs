using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Udp;

/// <summary>What applications do with datagrams: names are asked for, and streams of large datagrams go both ways.</summary>
public class DatagramTests : EndToEndTest
{
    private const string Name = "name.test";
    private const string Address = "192.0.2.53";

    /// <summary>As large as QUIC's.</summary>
    private const int Length = 1200;

    private const int PerSecond = 1000;
    private const int Count = PerSecond;

    /// <summary>How long nothing has to come before the rest counts as lost.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(2);

    [Fact(Timeout = Limit)]
    public async Task DigAsksThroughAForwardedPort()
    {
        Requires.Tool("dig");
        using var server = new UdpEchoTarget(DnsMessage.Answer);
        UdpPair pair = await StartAsync(server.Port);
        int port = await pair.Client.UdpForwardPortAsync();
        ToolResult result = await Tool.RunAsync("dig", "@127.0.0.1", "-p", $"{port}", "+short", "+tries=3", "+time=10", Name, "A");
        Assert.Equal(Address, result.Expect().Trim());
    }

    [Fact(Timeout = Limit)]
    public async Task ANameIsAskedForThroughTheProxy()
    {
        using var server = new UdpEchoTarget(DnsMessage.Answer);
        UdpPair pair = await StartAsync(server.Port);
        using SocksAssociation association = await SocksAssociation.OpenAsync(await pair.Client.Socks5PortAsync());
        using Socket socket = Connect(association.Relay);
        byte[] header = SocksAssociation.Header(IPAddress.Loopback, server.Port), answer = new byte[512];
        await socket.SendAsync((byte[])[.. header, .. DnsMessage.Question(7, Name)]);
        int length = await socket.ReceiveAsync(answer).WaitAsync(Until.Patience);
        Assert.Equal(header, answer[..header.Length]);
        Assert.Equal((7, IPAddress.Parse(Address)), DnsMessage.Read(answer.AsSpan(header.Length, length - header.Length)));
    }

    /// <summary>
    /// A thousand large datagrams a second, and as many back. A busy machine may drop some in its sockets and queues, but what comes
    /// is whole, and comes once.
    /// </summary>
    [Theory(Timeout = Limit)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AThousandASecondBothWays(bool throughProxy)
    {
        using var echo = new UdpEchoTarget();
        UdpPair pair = await StartAsync(echo.Port);
        using SocksAssociation association = await SocksAssociation.OpenAsync(await pair.Client.Socks5PortAsync());
        byte[] header = throughProxy ? SocksAssociation.Header(IPAddress.Loopback, echo.Port) : [];
        using Socket socket = Connect(throughProxy ? association.Relay : new IPEndPoint(IPAddress.Loopback, await pair.Client.UdpForwardPortAsync()));
        Task sending = SendAsync(socket, header);
        int received = await ReceiveAsync(socket, header, sending);
        await sending;
        Assert.InRange(received, Count * 9 / 10, Count);
    }

    private Task<UdpPair> StartAsync(int target) =>
        UdpPair.StartAsync(this, FreeUdpPort(), changeClient: c => c.WithForward($"127.0.0.1:{target}", protocol: "udp"));

    private static async Task SendAsync(Socket socket, byte[] header)
    {
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < Count; i++)
        {
            while (clock.Elapsed.TotalSeconds * PerSecond < i)
                await Task.Delay(1);
            await socket.SendAsync((byte[])[.. header, .. Numbered(i)]);
        }
    }

    /// <summary>The number of different datagrams that came.</summary>
    private static async Task<int> ReceiveAsync(Socket socket, byte[] header, Task sending)
    {
        var seen = new HashSet<int>();
        byte[] buffer = new byte[65_536];
        while (seen.Count < Count)
        {
            using var silence = new CancellationTokenSource(Silence);
            try
            {
                int length = await socket.ReceiveAsync(buffer, silence.Token);
                Assert.Equal(header, buffer[..header.Length]);
                int number = BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(header.Length));
                Assert.Equal(Numbered(number), buffer[header.Length..length]);
                Assert.True(seen.Add(number), $"datagram {number} came twice");
            }
            catch (OperationCanceledException)
            {
                if (sending.IsCompleted)
                    break;
            }
        }

        return seen.Count;
    }

    private static byte[] Numbered(int number)
    {
        byte[] data = Payload.Bytes(number % 16, Length);
        BinaryPrimitives.WriteInt32BigEndian(data, number);
        return data;
    }

    private static Socket Connect(IPEndPoint to)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20 };
        socket.Connect(to);
        return socket;
    }

    /// <summary>As much of DNS (RFC 1035) as one question and its answer need.</summary>
    private static class DnsMessage
    {
        private const int HeaderLength = 12;

        public static byte[] Question(ushort id, string name)
        {
            byte[] labels = [.. name.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. System.Text.Encoding.ASCII.GetBytes(label)])];
            return [(byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. labels, 0, 0, 1, 0, 1];
        }

        /// <summary>The question again, and one address of the name that it begins with.</summary>
        public static ReadOnlyMemory<byte> Answer(ReadOnlyMemory<byte> query)
        {
            byte[] question = query[HeaderLength..QuestionEnd(query.Span)].ToArray(), id = query[..2].ToArray();
            byte[] record = [0xC0, HeaderLength, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, .. IPAddress.Parse(Address).GetAddressBytes()];
            return (byte[])[.. id, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, .. question, .. record];
        }

        public static (int Id, IPAddress Address) Read(ReadOnlySpan<byte> answer) =>
            (BinaryPrimitives.ReadUInt16BigEndian(answer), new IPAddress(answer[^4..]));

        private static int QuestionEnd(ReadOnlySpan<byte> query)
        {
            int at = HeaderLength;
            while (query[at] != 0)
                at += 1 + query[at];
            return at + 1 + 4;
        }
    }
}
