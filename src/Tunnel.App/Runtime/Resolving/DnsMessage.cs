using System.Buffers.Binary;
using System.Text;

namespace Tunnel.App.Runtime.Resolving;

/// <summary>
/// As much of the DNS's messages (RFC 1035) as asking for SRV records takes. Reading is bounded by the message: names by their 255
/// bytes and by pointers that only lead backwards, records by what fits. Nothing in a message makes it throw.
/// </summary>
public static class DnsMessage
{
    /// <summary>The longest query: header, name, type and class.</summary>
    public const int MaximumQuery = HeaderLength + MaximumName + 4;

    /// <summary>Records beyond this are left out; a fleet that is larger stands behind names.</summary>
    public const int MaximumRecords = 64;

    private const int HeaderLength = 12;
    private const int MaximumName = 255;
    private const int MaximumLabel = 63;
    private const int MaximumAliases = 8;
    private const int RecordHeader = 10;
    private const ushort TypeAlias = 5;
    private const ushort TypeSrv = 33;
    private const ushort ClassInternet = 1;
    private const ushort RecursionDesired = 0x0100;
    private const ushort IsResponse = 0x8000;
    private const ushort OperationMask = 0x7800;
    private const ushort IsTruncated = 0x0200;
    private const ushort ResultMask = 0x000F;
    private const ushort NoSuchName = 3;

    /// <summary>Writes a query; returns its length, or 0 when the name cannot be asked for.</summary>
    public static int WriteQuery(Span<byte> destination, ushort id, string name)
    {
        destination[..HeaderLength].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(destination, id);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], RecursionDesired);
        BinaryPrimitives.WriteUInt16BigEndian(destination[4..], 1);
        int at = HeaderLength;
        foreach (string label in name.TrimEnd('.').Split('.'))
        {
            if (label.Length is 0 or > MaximumLabel || !Ascii.IsValid(label) || at + 1 + label.Length - HeaderLength >= MaximumName)
                return 0;
            destination[at++] = (byte)label.Length;
            at += Encoding.ASCII.GetBytes(label, destination[at..]);
        }

        destination[at++] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(destination[at..], TypeSrv);
        BinaryPrimitives.WriteUInt16BigEndian(destination[(at + 2)..], ClassInternet);
        return at + 4;
    }

    /// <summary>Reads what came back for a query.</summary>
    /// <param name="message">The message, whole.</param>
    /// <param name="query">What was asked: its id and question must come back.</param>
    /// <param name="answer">The records, sorted by priority; with <see cref="DnsVerdict.Answer"/> only.</param>
    public static DnsVerdict Read(ReadOnlySpan<byte> message, ReadOnlySpan<byte> query, out SrvAnswer? answer)
    {
        answer = null;
        if (message.Length < HeaderLength || !message[..2].SequenceEqual(query[..2]))
            return DnsVerdict.Stranger;
        ushort flags = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        int at = HeaderLength;
        if ((flags & IsResponse) == 0 || (flags & OperationMask) != 0 || !TryReadQuestion(message, query, ref at, out string name))
            return DnsVerdict.Stranger;
        if ((flags & IsTruncated) != 0)
            return DnsVerdict.Truncated;
        if ((flags & ResultMask) is not (0 or NoSuchName))
            return DnsVerdict.Refused;
        answer = ReadAnswer(message, at, BinaryPrimitives.ReadUInt16BigEndian(message[6..]), name);
        return answer is null ? DnsVerdict.Malformed : DnsVerdict.Answer;
    }

    private static bool TryReadQuestion(ReadOnlySpan<byte> message, ReadOnlySpan<byte> query, ref int at, out string name)
    {
        int asked = HeaderLength;
        name = "";
        return BinaryPrimitives.ReadUInt16BigEndian(message[4..]) == 1
            && TryReadName(message, ref at, out name)
            && TryReadName(query, ref asked, out string wanted)
            && name.Equals(wanted, StringComparison.OrdinalIgnoreCase)
            && message.Length - at >= 4
            && message.Slice(at, 4).SequenceEqual(query.Slice(asked, 4))
            && (at += 4) > 0;
    }

    /// <summary>Null when the message is not well formed. An alias in front of the records is followed.</summary>
    private static SrvAnswer? ReadAnswer(ReadOnlySpan<byte> message, int at, int count, string name)
    {
        var records = new List<SrvRecord>();
        uint timeToLive = int.MaxValue;
        int aliases = 0;
        for (int i = 0; i < count; i++)
        {
            if (!TryReadName(message, ref at, out string owner) || message.Length - at < RecordHeader)
                return null;
            Head head = Head.Read(message[at..]);
            int data = at += RecordHeader;
            if (message.Length - at < head.Length)
                return null;
            at += head.Length;
            if (head.Class != ClassInternet || !owner.Equals(name, StringComparison.OrdinalIgnoreCase))
                continue;
            // The topmost bit is a sign that no lifetime has (RFC 2181).
            timeToLive = Math.Min(timeToLive, head.TimeToLive > int.MaxValue ? 0 : head.TimeToLive);
            if (head.Type == TypeAlias && (aliases++ == MaximumAliases || !TryReadName(message, ref data, out name)))
                return null;
            if (head.Type == TypeSrv && !TryAdd(records, message[..at], data))
                return null;
        }

        return new SrvAnswer([.. records.OrderBy(r => r.Priority)], TimeSpan.FromSeconds(records.Count == 0 ? 0 : timeToLive));
    }

    private static bool TryAdd(List<SrvRecord> records, ReadOnlySpan<byte> message, int at)
    {
        if (message.Length - at < 7)
            return false;
        int priority = BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
        int weight = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]);
        int port = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 4)..]);
        at += 6;
        if (!TryReadName(message, ref at, out string target) || at != message.Length)
            return false;
        // The root as the target says that there is no such service.
        if (target.Length != 0 && port != 0 && records.Count < MaximumRecords)
            records.Add(new SrvRecord(target, port, priority, weight));
        return true;
    }

    /// <summary>Reads a name, compressed or not, and moves behind it. Labels with dots or control characters are refused.</summary>
    private static bool TryReadName(ReadOnlySpan<byte> message, ref int at, out string name)
    {
        var text = new StringBuilder();
        name = "";
        int place = at, bound = at, behind = -1;
        while (place < message.Length)
        {
            int length = message[place++];
            if (length == 0)
            {
                at = behind >= 0 ? behind : place;
                name = text.ToString();
                return true;
            }

            if (length >= 0xC0)
            {
                if (place >= message.Length)
                    return false;
                int target = (length & 0x3F) << 8 | message[place++];
                behind = behind >= 0 ? behind : place;
                // Only backwards, each time further: so a chain of pointers ends.
                if (target >= bound)
                    return false;
                place = bound = target;
                continue;
            }

            if (length > MaximumLabel || message.Length - place < length || text.Length + length + 1 > MaximumName)
                return false;
            if (text.Length != 0)
                text.Append('.');
            if (!TryAppend(text, message.Slice(place, length)))
                return false;
            place += length;
        }

        return false;
    }

    private static bool TryAppend(StringBuilder text, ReadOnlySpan<byte> label)
    {
        foreach (byte b in label)
        {
            if (b is <= 0x20 or >= 0x7F or (byte)'.')
                return false;
            text.Append((char)b);
        }

        return true;
    }

    private readonly record struct Head(ushort Type, ushort Class, uint TimeToLive, int Length)
    {
        public static Head Read(ReadOnlySpan<byte> record) => new(
            BinaryPrimitives.ReadUInt16BigEndian(record),
            BinaryPrimitives.ReadUInt16BigEndian(record[2..]),
            BinaryPrimitives.ReadUInt32BigEndian(record[4..]),
            BinaryPrimitives.ReadUInt16BigEndian(record[8..]));
    }
}

/// <summary>What a message turned out to be.</summary>
public enum DnsVerdict
{
    /// <summary>Not the answer to this query: whoever sent it, the answer may still come.</summary>
    Stranger,

    /// <summary>Too long for a datagram: ask over TCP.</summary>
    Truncated,

    /// <summary>The server cannot or will not say.</summary>
    Refused,

    /// <summary>The answer to this query, and not well formed.</summary>
    Malformed,

    /// <summary>A usable answer, be it that there is nothing.</summary>
    Answer,
}
