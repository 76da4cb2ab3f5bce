namespace Tunnel.Protocol.Sessions;

/// <summary>The state of reading a header from bytes that may not all be there yet.</summary>
public enum HeaderStatus
{
    Complete,

    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>This is not a header, or not one that this version knows.</summary>
    Invalid,
}

/// <summary>Reads a header in whichever format it is: the first two bytes tell.</summary>
public static class StreamHeaderReader
{
    private const int TellingBytes = 2;

    /// <summary>
    /// Reads a header from the front of <paramref name="source"/>. <paramref name="length"/> is what it took when it is complete; when
    /// it is not, how many bytes there are at least, so that whoever reads no more than that never takes what follows the header.
    /// </summary>
    public static HeaderStatus TryRead(ReadOnlySpan<byte> source, out StreamHeader? header, out HeaderFormat format, out int length)
    {
        header = null;
        length = 0;
        if (!TryTell(source, out format))
            return HeaderStatus.Invalid;
        length = TellingBytes;
        if (source.Length < TellingBytes)
            return HeaderStatus.Incomplete;
        HeaderStatus status = format switch
        {
            HeaderFormat.V3 => StreamHeaderV3.TryRead(source, out header, out length),
            HeaderFormat.Gob => StreamHeaderGob.TryRead(source, out header, out length),
            _ => StreamHeaderV1.TryRead(source, out header, out length),
        };
        return status == HeaderStatus.Incomplete && length > StreamHeader.MaximumLength ? HeaderStatus.Invalid : status;
    }

    /// <summary>
    /// The bytes that belong into one frame, at the front of a written header: gob's readers take each message by itself.
    /// </summary>
    public static int FirstPart(HeaderFormat format, ReadOnlySpan<byte> header) =>
        format == HeaderFormat.Gob ? StreamHeaderGob.MessageLength(header) : header.Length;

    private static bool TryTell(ReadOnlySpan<byte> source, out HeaderFormat format)
    {
        format = HeaderFormat.V1;
        if (source.IsEmpty)
            return true;
        byte first = source[0];
        format = first switch
        {
            StreamHeaderV1.Magic => HeaderFormat.V1,
            >= (byte)StreamRequest.Ping and <= (byte)StreamRequest.Udp => HeaderFormat.V3,
            _ => HeaderFormat.Gob,
        };
        byte? second = source.Length > 1 ? source[1] : null;
        return format switch
        {
            HeaderFormat.V1 => second is null or StreamHeaderV1.Version,
            HeaderFormat.V3 => second is null or <= StreamHeaderV3.AllParts,
            _ => StreamHeaderGob.Begins(first, second),
        };
    }
}
