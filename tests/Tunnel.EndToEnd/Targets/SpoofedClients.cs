using System.Net;
using System.Security.Cryptography;
using Tunnel.EndToEnd.Harness;
using Tunnel.Links.AfPacket;
using Tunnel.Links.Host;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Wire;

namespace Tunnel.EndToEnd.Targets;

/// <summary>What spoofed clients say.</summary>
internal static class SpoofedDatagrams
{
    /// <summary>Noise behind a cookie that is right: the guard's secret is known, or a cookie was heard and used again.</summary>
    public const string Noise = "noise";

    /// <summary>The first segment of a new conversation, sealed with the right key, which opens a stream.</summary>
    public const string Beginnings = "beginnings";
}

/// <summary>
/// Crafted segments from clients that do not exist, each with an address and a port of its own, one segment a client. A program of its
/// own, for the network namespace whose cable leads to the server.
/// </summary>
internal static class SpoofedClientsProgram
{
    private const int Burst = 50;
    private const int GuardWindowSeconds = 30;
    private const int FirstPort = 1024;

    private static readonly byte[] OpenStream = [2, 0, 0, 0, 3, 0, 0, 0];

    /// <param name="datagrams">One of <see cref="SpoofedDatagrams"/>.</param>
    /// <param name="first">The number of the first client.</param>
    /// <param name="count">How many.</param>
    public static Task<int> Run(string datagrams, int first, int count)
    {
        HostRoute route = HostNetwork.Resolve(new HostQuery { Remote = IPAddress.Parse(Namespaces.ServerIPv4) });
        using AfPacketLink link = AfPacketLink.Open(
            new AfPacketOptions { Interface = route.Interface, FirstPort = TunnelSettings.ServerPort });
        using DatagramCipher cipher = CipherSuite.Create(
            "aes-128-gcm", KeyDerivation.Paqet(TunnelSettings.Key), new NonceGenerator(RandomNumberGenerator.GetBytes(NonceGenerator.SeedLength)));
        var guard = new Guard(
            Guard.DeriveKey(TunnelSettings.Key), "PQT1"u8, GuardWindowSeconds, skewWindows: 1, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        var counter = new CraftCounter(0);
        int sent = 0;
        for (int client = first; client < first + count; client++)
        {
            var flow = new CraftedFlow(AddressesOf(route, client), 0, counter);
            byte[] frame = new byte[flow.HeaderLength(TcpFlags.Default) + Guard.PrefixLength + cipher.Overhead + KcpSegment.HeaderLength + OpenStream.Length];
            Span<byte> payload = frame.AsSpan(flow.HeaderLength(TcpFlags.Default));
            guard.Write(payload[..Guard.PrefixLength]);
            Fill(payload[Guard.PrefixLength..], datagrams, (uint)client + 1, cipher);
            flow.Write(frame, TcpFlags.Default);
            sent += link.Send(frame, frame.Length, default);
            // Not faster than a socket's buffer is emptied: all of them are to be judged, not dropped by the kernel.
            if (client % Burst == 0)
                Thread.Sleep(1);
        }

        return Task.FromResult(sent == count ? 0 : 1);
    }

    private static void Fill(Span<byte> datagram, string datagrams, uint conversation, DatagramCipher cipher)
    {
        if (datagrams == SpoofedDatagrams.Noise)
        {
            RandomNumberGenerator.Fill(datagram);
            return;
        }

        Span<byte> segment = datagram.Slice(cipher.HeaderLength, KcpSegment.HeaderLength + OpenStream.Length);
        new KcpSegment(conversation, KcpCommand.Push, 0, 128, 0, 0, 0, (uint)OpenStream.Length).Write(segment);
        OpenStream.CopyTo(segment[KcpSegment.HeaderLength..]);
        cipher.Seal(datagram);
    }

    private static FlowAddresses AddressesOf(HostRoute route, int client) => new(
        MacAddress.FromBytes(route.InterfaceMac.GetAddressBytes()),
        MacAddress.FromBytes(route.NextHopMac!.GetAddressBytes()),
        Endpoint.FromBytes([10, 66, (byte)(client >> 8), (byte)client], (ushort)(FirstPort + client)),
        Endpoint.FromIPEndPoint(new IPEndPoint(IPAddress.Parse(Namespaces.ServerIPv4), TunnelSettings.ServerPort)));
}
