using System.Buffers.Binary;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Vectors;

/// <summary>A sealed datagram from a recording, out of whatever carried it.</summary>
internal sealed record CapturedDatagram(byte[] Bytes, Instant Time)
{
    private const ushort FirstPort = 9999;
    private const ushort EchoPort = 10_000;
    private const byte Udp = 17;

    public static DatagramCipher Cipher(string name)
    {
        bool kcptun = name.StartsWith("kcptun", StringComparison.Ordinal);
        byte[] key = kcptun ? KeyDerivation.Kcptun("correcthorse") : KeyDerivation.Paqet(Recordings.Key);
        string cipher = kcptun ? "aes-128" : name == Recordings.Guarded ? "aes-128-gcm" : name["paqet-".Length..];
        return CipherSuite.Create(cipher, key, new NonceGenerator(new byte[NonceGenerator.SeedLength]));
    }

    public static List<CapturedDatagram> Read(string name, bool fromClient)
    {
        ushort server = name is Recordings.KcptunUdp or Recordings.KcptunTcp ? EchoPort : FirstPort;
        var datagrams = new List<CapturedDatagram>();
        long start = 0;
        foreach (PcapPacket packet in PcapFile.Read(name))
        {
            long microseconds = packet.UnixSeconds * 1_000_000 + packet.Microseconds;
            start = start == 0 ? microseconds : start;
            ReadOnlySpan<byte> payload = Payload(packet.Frame, out ushort source, out ushort destination);
            if (payload.IsEmpty || (fromClient ? destination : source) != server)
                continue;
            if (name == Recordings.Guarded)
                payload = Unguarded(payload, packet.UnixSeconds);
            datagrams.Add(new CapturedDatagram(payload.ToArray(), new Instant((microseconds - start) * 1000)));
        }

        Assert.NotEmpty(datagrams);
        return datagrams;
    }

    private static ReadOnlySpan<byte> Unguarded(ReadOnlySpan<byte> payload, long unixSeconds)
    {
        var guard = new Guard(Guard.DeriveKey(Recordings.Key), "PQT1"u8, 30, 1, unixSeconds);
        Assert.Equal(GuardVerdict.Pass, guard.Check(payload));
        return payload[Guard.PrefixLength..];
    }

    private static ReadOnlySpan<byte> Payload(ReadOnlySpan<byte> frame, out ushort source, out ushort destination)
    {
        source = destination = 0;
        if (EthernetView.TryParse(frame, out EthernetView ethernet) != WireDrop.None || ethernet.EtherType != EtherTypes.IPv4)
            return default;
        if (IPv4View.TryParse(ethernet.Payload, out IPv4View ip) != WireDrop.None)
            return default;
        if (ip.Protocol == Udp)
            return UdpPayload(ip.Payload, out source, out destination);
        if (TcpView.TryParse(ip.Payload, out TcpView tcp) != WireDrop.None)
            return default;
        (source, destination) = (tcp.SourcePort, tcp.DestinationPort);
        return tcp.Payload;
    }

    private static ReadOnlySpan<byte> UdpPayload(ReadOnlySpan<byte> udp, out ushort source, out ushort destination)
    {
        source = BinaryPrimitives.ReadUInt16BigEndian(udp);
        destination = BinaryPrimitives.ReadUInt16BigEndian(udp[2..]);
        return udp[8..BinaryPrimitives.ReadUInt16BigEndian(udp[4..])];
    }
}
