using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Tunnel.App.Runtime.Resolving;

/// <summary>
/// Asks name servers for SRV records, which the platform's resolver knows nothing of: over UDP, each server in turn, twice round, and
/// over TCP when an answer does not fit. Believes only what comes from the server asked, from its port, with the query's random
/// number and question. Thread-safe.
/// </summary>
/// <param name="servers">Whom to ask; read for each question.</param>
/// <param name="timeout">How long one server may take each time.</param>
public sealed class DnsClient(Func<IReadOnlyList<IPEndPoint>> servers, TimeSpan timeout)
{
    private const int Rounds = 2;

    /// <summary>Without an announcement of more, a datagram has at most 512 bytes; some servers send more all the same.</summary>
    private const int LongestDatagram = 4096;

    /// <summary>The client that asks as this host is configured.</summary>
    public static DnsClient OfThisHost { get; } = new(ResolverFile.Read, TimeSpan.FromSeconds(2));

    /// <exception cref="ResolveException">No server gave a usable answer, or the name cannot be asked for.</exception>
    public async Task<SrvAnswer> FindSrvAsync(string name, CancellationToken cancel)
    {
        string problem = "there is no name server";
        IReadOnlyList<IPEndPoint> asked = servers();
        for (int i = 0; i < Rounds * asked.Count; i++)
        {
            IPEndPoint server = asked[i % asked.Count];
            try
            {
                byte[] query = MakeQuery(name);
                (DnsVerdict verdict, SrvAnswer? answer) = await AskAsync(server, query, cancel).ConfigureAwait(false);
                if (answer is not null)
                    return answer;
                problem = $"{server} gave no usable answer ({verdict})";
            }
            catch (Exception e) when (e is SocketException or IOException && e is not ResolveException)
            {
                problem = $"{server}: {e.Message}";
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                problem = $"{server} does not answer";
            }
        }

        throw new ResolveException($"the SRV records of {name} cannot be had: {problem}");
    }

    private static byte[] MakeQuery(string name)
    {
        byte[] query = new byte[DnsMessage.MaximumQuery];
        ushort id = BitConverter.ToUInt16(RandomNumberGenerator.GetBytes(2));
        int length = DnsMessage.WriteQuery(query, id, name);
        return length != 0 ? query[..length] : throw new ResolveException($"{name} is no name that can be asked for");
    }

    private async Task<(DnsVerdict Verdict, SrvAnswer? Answer)> AskAsync(IPEndPoint server, byte[] query, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(timeout);
        (DnsVerdict verdict, SrvAnswer? answer) = await AskOverUdpAsync(server, query, limit.Token).ConfigureAwait(false);
        return verdict == DnsVerdict.Truncated
            ? await AskOverTcpAsync(server, query, limit.Token).ConfigureAwait(false)
            : (verdict, answer);
    }

    private static async Task<(DnsVerdict Verdict, SrvAnswer? Answer)> AskOverUdpAsync(IPEndPoint server, byte[] query, CancellationToken cancel)
    {
        // Connected: the kernel drops what comes from elsewhere, and says when nobody listens there.
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancel).ConfigureAwait(false);
        await socket.SendAsync(query, cancel).ConfigureAwait(false);
        byte[] buffer = new byte[LongestDatagram];
        while (true)
        {
            int length = await socket.ReceiveAsync(buffer, cancel).ConfigureAwait(false);
            DnsVerdict verdict = DnsMessage.Read(buffer.AsSpan(0, length), query, out SrvAnswer? answer);
            if (verdict != DnsVerdict.Stranger)
                return (verdict, answer);
        }
    }

    private static async Task<(DnsVerdict Verdict, SrvAnswer? Answer)> AskOverTcpAsync(IPEndPoint server, byte[] query, CancellationToken cancel)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server, cancel).ConfigureAwait(false);
        using var stream = new NetworkStream(socket);
        byte[] framed = new byte[2 + query.Length];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)query.Length);
        query.CopyTo(framed, 2);
        await stream.WriteAsync(framed, cancel).ConfigureAwait(false);
        byte[] length = new byte[2];
        await stream.ReadExactlyAsync(length, cancel).ConfigureAwait(false);
        byte[] message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(message, cancel).ConfigureAwait(false);
        DnsVerdict verdict = DnsMessage.Read(message, query, out SrvAnswer? answer);
        return (verdict, answer);
    }
}
