namespace Tunnel.Protocol.Sessions;

/// <summary>
/// Go's gob of <c>struct { Type byte; Addr *struct { Host string; Port int }; TCPF []struct of nine bools }</c>: four messages that
/// define the types, always the same, and one that is the value. A message is a length and so many bytes, which begin with a type
/// number: negative for a definition, positive for a value.
/// </summary>
internal static class StreamHeaderGob
{
    private const int TypeField = 0;
    private const int AddressField = 1;
    private const int FlagsField = 2;
    private const int HostField = 0;
    private const int PortField = 1;
    private const int FlagCount = 9;

    /// <summary>The number that Go gives to the first type of a program; earlier ones began at 65, which is read, too.</summary>
    private const int ValueType = 64;

    /// <summary>The types' definitions, with their lengths, as Go writes them.</summary>
    private static readonly byte[] Definitions = Convert.FromHexString(
        "2f7f0301010550726f746f01ff8000010301045479706501060001044164647201ff820001045443504601ff86000000"
        + "24ff81030101044164647201ff820001020104486f7374010c000104506f72740104000000"
        + "1aff850201010b5b5d636f6e662e5443504601ff860001ff840000"
        + "59ff83030101045443504601ff84000109010346494e010200010353594e0102000103525354010200010350534801020001"
        + "0341434b01020001035552470102000103454345010200010343575201020001024e530102000000");

    /// <summary>The length of the first definition and its type number: 64, or 65, whose number takes a byte more.</summary>
    public static bool Begins(byte first, byte? second) => (first, second) is (0x2F, null or 0x7F) or (0x30, null or 0xFF);

    /// <param name="source">At least the two bytes that tell the format, already seen to be right.</param>
    /// <param name="header">What was read.</param>
    /// <param name="length">What it took, or how many bytes there are at least.</param>
    public static HeaderStatus TryRead(ReadOnlySpan<byte> source, out StreamHeader? header, out int length)
    {
        header = null;
        for (length = 0; length < StreamHeader.MaximumLength;)
        {
            ReadOnlySpan<byte> rest = source[length..];
            int prefix = rest.IsEmpty ? 1 : PrefixLength(rest[0]);
            if (prefix > 1 + sizeof(ushort))
                return HeaderStatus.Invalid;
            int start = length;
            length += prefix;
            if (source.Length < length)
                return HeaderStatus.Incomplete;
            length = start + MessageLength(rest);
            if (length > StreamHeader.MaximumLength)
                return HeaderStatus.Invalid;
            if (source.Length < length)
                return HeaderStatus.Incomplete;
            var message = new GobCursor(source[(start + prefix)..length]);
            if (message.ReadSigned() >= 0)
                return ReadValue(ref message, out header);
        }

        return HeaderStatus.Invalid;
    }

    /// <summary>The length of the message at the front, with its length's own bytes.</summary>
    /// <param name="source">At least those.</param>
    public static int MessageLength(ReadOnlySpan<byte> source)
    {
        var cursor = new GobCursor(source);
        ulong body = cursor.ReadUnsigned();
        return source.Length - cursor.Left + (int)Math.Min(body, StreamHeader.MaximumLength);
    }

    public static int Write(StreamHeader header, Span<byte> destination)
    {
        Definitions.CopyTo(destination);
        // At most 64 bitmasks of nine fields, or a host: it fits.
        Span<byte> scratch = stackalloc byte[2048];
        var value = new GobWriter(scratch);
        value.Signed(ValueType);
        WriteValue(header, ref value);
        var message = new GobWriter(destination[Definitions.Length..]);
        message.Unsigned((ulong)value.Length);
        message.Raw(scratch[..value.Length]);
        return Definitions.Length + message.Length;
    }

    private static int PrefixLength(byte first) => first < 0x80 ? 1 : 1 + 256 - first;

    private static HeaderStatus ReadValue(ref GobCursor message, out StreamHeader? header)
    {
        ulong request = 0;
        Target target = default;
        ushort[]? flags = null;
        for (int field = -1; message.NextField(ref field);)
        {
            if (field == TypeField)
                request = message.ReadUnsigned();
            else if (field == AddressField)
                target = ReadTarget(ref message);
            else if (field == FlagsField)
                flags = ReadFlags(ref message);
            else
                message.Break();
        }

        header = message.IsBroken || message.Left != 0 ? null : Make(request, target, flags);
        return header is null ? HeaderStatus.Invalid : HeaderStatus.Complete;
    }

    /// <summary>Zero values are left out: an announcement of nothing has no list.</summary>
    private static StreamHeader? Make(ulong request, Target target, ushort[]? flags) => request switch
    {
        (ulong)StreamRequest.Ping or (ulong)StreamRequest.Pong => new StreamHeader((StreamRequest)request),
        (ulong)StreamRequest.Flags => new StreamHeader(StreamRequest.Flags, default, flags ?? []),
        (ulong)StreamRequest.Tcp or (ulong)StreamRequest.Udp when target.Host is not null => new StreamHeader((StreamRequest)request, target),
        _ => null,
    };

    private static Target ReadTarget(ref GobCursor message)
    {
        string? host = null;
        long port = 0;
        for (int field = -1; message.NextField(ref field);)
        {
            if (field == HostField)
                host = Target.ReadHost(message.ReadBytes());
            else if (field == PortField)
                port = message.ReadSigned();
            else
                message.Break();
        }

        if (host is not null && port is >= 0 and <= ushort.MaxValue)
            return new Target(host, (ushort)port);
        message.Break();
        return default;
    }

    private static ushort[]? ReadFlags(ref GobCursor message)
    {
        ulong count = message.ReadUnsigned();
        if (count > StreamHeader.MaximumFlags)
        {
            message.Break();
            return null;
        }

        var flags = new ushort[count];
        for (int i = 0; i < flags.Length && !message.IsBroken; i++)
            flags[i] = ReadBits(ref message);
        return flags;
    }

    private static ushort ReadBits(ref GobCursor message)
    {
        int bits = 0;
        for (int field = -1; message.NextField(ref field);)
        {
            if (field >= FlagCount || message.ReadUnsigned() != 1)
                message.Break();
            else
                bits |= 1 << field;
        }

        return (ushort)bits;
    }

    private static void WriteValue(StreamHeader header, ref GobWriter value)
    {
        value.Unsigned(TypeField + 1);
        value.Unsigned((ulong)header.Request);
        if (header.HasTarget)
        {
            value.Unsigned(AddressField - TypeField);
            WriteTarget(header.Target, ref value);
        }
        else if (header.Request == StreamRequest.Flags && header.Flags is { Count: > 0 } flags)
        {
            value.Unsigned(FlagsField - TypeField);
            WriteFlags(flags, ref value);
        }

        value.Unsigned(0);
    }

    private static void WriteTarget(Target target, ref GobWriter value)
    {
        Span<byte> host = stackalloc byte[Target.MaximumHost];
        int length = target.WriteHost(host);
        value.Unsigned(HostField + 1);
        value.Unsigned((ulong)length);
        value.Raw(host[..length]);
        if (target.Port != 0)
        {
            value.Unsigned(PortField - HostField);
            value.Signed(target.Port);
        }

        value.Unsigned(0);
    }

    private static void WriteFlags(IReadOnlyList<ushort> flags, ref GobWriter value)
    {
        int count = Math.Min(flags.Count, StreamHeader.MaximumFlags);
        value.Unsigned((ulong)count);
        for (int i = 0; i < count; i++)
            WriteBits(flags[i], ref value);
    }

    private static void WriteBits(int bits, ref GobWriter value)
    {
        for (int field = 0, last = -1; field < FlagCount; field++)
        {
            if ((bits >> field & 1) == 0)
                continue;
            value.Unsigned((ulong)(field - last));
            value.Unsigned(1);
            last = field;
        }

        value.Unsigned(0);
    }
}
