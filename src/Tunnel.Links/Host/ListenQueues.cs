using System.Buffers.Binary;
using System.Net;
using Tunnel.Links.Host.Netlink;
using Tunnel.Links.Native;

namespace Tunnel.Links.Host;

/// <summary>A listening TCP socket and the connections that wait in it to be accepted.</summary>
/// <param name="Local">Where it listens.</param>
/// <param name="Waiting">Connections that wait.</param>
/// <param name="Backlog">As many as may wait.</param>
public sealed record ListenQueue(IPEndPoint Local, uint Waiting, uint Backlog);

/// <summary>The listening sockets of this network namespace, as `ss -ltn` shows them.</summary>
public static class ListenQueues
{
    private const int NETLINK_SOCK_DIAG = 4;
    private const ushort SOCK_DIAG_BY_FAMILY = 20;
    private const int RequestLength = 56;
    private const int AnswerLength = 72;
    private const byte TcpProtocol = 6;
    private const uint ListenState = 1 << 10;

    /// <summary>The sockets of both families, or why the kernel does not tell.</summary>
    public static (IReadOnlyList<ListenQueue> Queues, string? Problem) Read()
    {
        List<ListenQueue> queues = [];
        try
        {
            using var socket = new NetlinkSocket(0, NETLINK_SOCK_DIAG);
            int error = Dump(socket, Linux.AF_INET, queues);
            if (error == 0)
                error = Dump(socket, Linux.AF_INET6, queues);
            return (queues, error == 0 ? null : Libc.Describe(error));
        }
        catch (LinkException e)
        {
            return ([], e.Message);
        }
    }

    private static int Dump(NetlinkSocket socket, int family, List<ListenQueue> queues)
    {
        Span<byte> header = stackalloc byte[RequestLength];
        header.Clear();
        header[0] = (byte)family;
        header[1] = TcpProtocol;
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], ListenState);
        var request = new NetlinkRequest(SOCK_DIAG_BY_FAMILY, Rtnetlink.NLM_F_DUMP, header);
        return socket.Ask(request, dump: true, (type, body) =>
        {
            if (type == SOCK_DIAG_BY_FAMILY && Parse(body) is { } queue)
                queues.Add(queue);
        });
    }

    /// <summary>struct inet_diag_msg; null when it is too short for one.</summary>
    internal static ListenQueue? Parse(ReadOnlySpan<byte> body)
    {
        if (body.Length < AnswerLength)
            return null;
        int length = body[0] == Linux.AF_INET6 ? 16 : 4;
        var local = new IPEndPoint(new IPAddress(body.Slice(8, length)), BinaryPrimitives.ReadUInt16BigEndian(body[4..]));
        return new ListenQueue(
            local, BinaryPrimitives.ReadUInt32LittleEndian(body[56..]), BinaryPrimitives.ReadUInt32LittleEndian(body[60..]));
    }
}
