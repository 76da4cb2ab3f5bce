using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Tunnel.Protocol.Wire;

namespace Tunnel.Ctl.Ping;

/// <summary>A host's clock by ICMP timestamp (RFC 792; IPv4 only): Linux answers unless told not to. Needs CAP_NET_RAW.</summary>
internal static class IcmpClock
{
    internal const int MessageLength = 20;
    private const int TimeoutMilliseconds = 1000;
    private const int MillisecondsPerDay = 86_400_000;
    private const byte Request = 13;
    private const byte Reply = 14;

    /// <summary>The host's clock minus this one's in seconds, half a round trip exact; null when it does not tell.</summary>
    public static async Task<double?> DifferenceAsync(IPAddress host)
    {
        if (host.AddressFamily != AddressFamily.InterNetwork)
            return null;
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp);
            socket.Bind(new IPEndPoint(IPAddress.Any, 0));
            using var patience = new CancellationTokenSource(TimeoutMilliseconds);
            ushort id = (ushort)Random.Shared.Next(ushort.MaxValue);
            uint sent = SinceMidnight();
            await socket.SendToAsync(Write(id, sent), new IPEndPoint(host, 0), patience.Token).ConfigureAwait(false);
            byte[] buffer = new byte[2048];
            while (true)
            {
                int length = await socket.ReceiveAsync(buffer, patience.Token).ConfigureAwait(false);
                if (Read(buffer.AsSpan(0, length), id) is { } theirs)
                    return Difference(theirs, sent, SinceMidnight());
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return null;
        }
    }

    internal static byte[] Write(ushort id, uint sent)
    {
        byte[] message = new byte[MessageLength];
        message[0] = Request;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(4), id);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), sent);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), InternetChecksum.Fold(InternetChecksum.Sum(message)));
        return message;
    }

    /// <summary>When the host received the request, in milliseconds since midnight; null if this is no answer to it.</summary>
    internal static uint? Read(ReadOnlySpan<byte> packet, ushort id)
    {
        int header = packet.IsEmpty ? 0 : (packet[0] & 0xF) * 4;
        if (header < IPv4View.MinHeaderLength || packet.Length < header + MessageLength)
            return null;
        ReadOnlySpan<byte> icmp = packet[header..];
        uint received = BinaryPrimitives.ReadUInt32BigEndian(icmp[12..]);
        // A set high bit says that it is no time since midnight.
        bool answers = icmp[0] == Reply && BinaryPrimitives.ReadUInt16BigEndian(icmp[4..]) == id && received < MillisecondsPerDay;
        return answers ? received : null;
    }

    /// <summary>Seconds; the shorter way round midnight.</summary>
    internal static double Difference(uint theirs, uint sent, uint back)
    {
        double roundTrip = Wrap((double)back - sent);
        return Wrap((double)theirs - sent - (roundTrip / 2)) / 1000;
    }

    private static double Wrap(double milliseconds) => milliseconds switch
    {
        > MillisecondsPerDay / 2 => milliseconds - MillisecondsPerDay,
        < -MillisecondsPerDay / 2 => milliseconds + MillisecondsPerDay,
        _ => milliseconds,
    };

    private static uint SinceMidnight() => (uint)DateTimeOffset.UtcNow.TimeOfDay.TotalMilliseconds;
}
