using System.Buffers.Binary;

namespace Tunnel.Protocol.Sessions;

/// <summary>
/// Which reverse forward is meant, in a header: <c>client 16 bytes BE | number u32 BE | session u16 BE | protocol u8</c>, 0 for TCP and 1 for UDP.
/// </summary>
/// <param name="Client">
/// Chosen at random when a client starts: sessions that say the same one are one client's. It cannot be guessed, so that no client
/// takes over another's listener by mistake or malice.
/// </param>
/// <param name="Number">The client's own number for it.</param>
/// <param name="Session">The client's own number for the session that says this; a later session of the same number takes its place.</param>
/// <param name="IsUdp">Whether datagrams are carried instead of connections.</param>
public readonly record struct ReverseName(UInt128 Client, uint Number, ushort Session, bool IsUdp)
{
    internal const int Length = 16 + 4 + 2 + 1;

    private const int NumberAt = 16;
    private const int SessionAt = 20;
    private const int ProtocolAt = 22;
    private const byte Tcp = 0;
    private const byte Udp = 1;

    internal static ReverseName? Read(ReadOnlySpan<byte> source)
    {
        if (source.Length < Length || source[ProtocolAt] is not (Tcp or Udp))
            return null;
        return new ReverseName(
            BinaryPrimitives.ReadUInt128BigEndian(source),
            BinaryPrimitives.ReadUInt32BigEndian(source[NumberAt..]),
            BinaryPrimitives.ReadUInt16BigEndian(source[SessionAt..]),
            source[ProtocolAt] == Udp);
    }

    internal int Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination, Client);
        BinaryPrimitives.WriteUInt32BigEndian(destination[NumberAt..], Number);
        BinaryPrimitives.WriteUInt16BigEndian(destination[SessionAt..], Session);
        destination[ProtocolAt] = IsUdp ? Udp : Tcp;
        return Length;
    }
}

/// <summary>What became of a request to listen: one byte.</summary>
public enum ReverseResult : byte
{
    /// <summary>The server listens, as long as the stream lives.</summary>
    Listening = 0,

    Failed = 1,

    /// <summary>The server's file does not allow that address and port.</summary>
    NotAllowed = 2,

    /// <summary>Another program at the server, or another client, has the address.</summary>
    InUse = 3,

    /// <summary>The address is not the server's.</summary>
    NoSuchAddress = 4,

    /// <summary>The server's system does not let it listen there.</summary>
    NoPermission = 5,

    /// <summary>The server is stopping.</summary>
    Stopping = 6,
}
