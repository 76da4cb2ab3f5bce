using System.Buffers.Binary;
using System.Security.Cryptography;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>
/// Answers to SYNs that keep nothing: the server's first sequence number is a keyed hash of who asked and of the time, so that what
/// comes later proves by its acknowledgement that it has seen the answer (RFC 4987, 3.6). Thread-safe.
/// </summary>
internal sealed class SynCookies
{
    private const long SlotMilliseconds = 64_000;
    private const int MessageLength = 2 * 18 + 8;

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <summary>The first sequence number for an answer between these addresses.</summary>
    public uint Make(in FlowAddresses answer, Instant now) => Hash(answer, now.Milliseconds / SlotMilliseconds);

    /// <summary>The peer acknowledges an answer of the last one or two minutes, and has had nothing else.</summary>
    public bool Accepts(in FlowAddresses answer, uint acknowledgment, Instant now)
    {
        long slot = now.Milliseconds / SlotMilliseconds;
        uint cookie = acknowledgment - 1;
        return cookie == Hash(answer, slot) || cookie == Hash(answer, slot - 1);
    }

    private uint Hash(in FlowAddresses answer, long slot)
    {
        Span<byte> message = stackalloc byte[MessageLength];
        message.Clear();
        Write(message, answer.Source);
        Write(message[18..], answer.Destination);
        BinaryPrimitives.WriteInt64BigEndian(message[36..], slot);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, message, hash);
        return BinaryPrimitives.ReadUInt32BigEndian(hash);
    }

    private static void Write(Span<byte> message, Endpoint endpoint)
    {
        endpoint.WriteAddress(message);
        BinaryPrimitives.WriteUInt16BigEndian(message[16..], endpoint.Port);
    }
}
