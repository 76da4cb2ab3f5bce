using System.Buffers;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>Sends and reads the headers of streams, whichever format the peer speaks.</summary>
public static class HeaderExchange
{
    /// <summary>Sends a header in frames of its own: what follows it never shares one with it.</summary>
    /// <exception cref="TunnelClosedException">The session ended.</exception>
    public static ValueTask SendAsync(TunnelStream stream, StreamHeader header, HeaderFormat format)
    {
        byte[] whole = Write(header, format);
        return StreamHeaderReader.FirstPart(format, whole) == whole.Length ? stream.WriteAsync(whole) : SendPartsAsync(stream, whole, format);
    }

    /// <summary>A header's bytes.</summary>
    public static byte[] Write(StreamHeader header, HeaderFormat format)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(StreamHeader.MaximumLength);
        try
        {
            return buffer.AsSpan(0, header.Write(format, buffer)).ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async ValueTask SendPartsAsync(TunnelStream stream, ReadOnlyMemory<byte> rest, HeaderFormat format)
    {
        while (!rest.IsEmpty)
        {
            int part = StreamHeaderReader.FirstPart(format, rest.Span);
            await stream.WriteAsync(rest[..part]).ConfigureAwait(false);
            rest = rest[part..];
        }
    }

    /// <summary>Answers a header with another, and waits until the peer has read it: it closes then, and closing first could drop it.</summary>
    /// <exception cref="IOException">The stream or its session ended.</exception>
    public static async Task AnswerAsync(TunnelStream stream, StreamHeader answer, HeaderFormat format)
    {
        await SendAsync(stream, answer, format).ConfigureAwait(false);
        stream.CloseWrite();
        await stream.ReadAsync(new byte[1]).ConfigureAwait(false);
    }

    /// <summary>Answers a header with one byte; when it is the last, waits until the peer has read it.</summary>
    /// <exception cref="IOException">The stream or its session ended.</exception>
    public static async Task AnswerAsync(TunnelStream stream, byte answer, bool isLast)
    {
        await stream.WriteAsync(new[] { answer }).ConfigureAwait(false);
        if (!isLast)
            return;
        stream.CloseWrite();
        await stream.ReadAsync(new byte[1]).ConfigureAwait(false);
    }

    /// <summary>Reads an answer of one byte; null when the stream ends instead.</summary>
    /// <exception cref="IOException">The stream or its session ended.</exception>
    public static async ValueTask<byte?> ReceiveByteAsync(TunnelStream stream)
    {
        byte[] value = new byte[1];
        return await stream.ReadAsync(value).ConfigureAwait(false) == 0 ? null : value[0];
    }

    /// <summary>Reads a header and not a byte more; null when the stream ends instead, or says something else.</summary>
    /// <exception cref="TunnelClosedException">The session ended.</exception>
    public static async ValueTask<ReceivedHeader?> ReceiveAsync(TunnelStream stream)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(StreamHeader.MaximumLength);
        try
        {
            return await ReceiveAsync(stream, buffer).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async ValueTask<ReceivedHeader?> ReceiveAsync(TunnelStream stream, byte[] buffer)
    {
        int have = 0;
        while (true)
        {
            HeaderStatus status = StreamHeaderReader.TryRead(
                buffer.AsSpan(0, have), out StreamHeader? header, out HeaderFormat format, out int length);
            if (status == HeaderStatus.Complete)
                return new ReceivedHeader(header!, format);
            if (status == HeaderStatus.Invalid)
                return null;
            int count = await stream.ReadAsync(buffer.AsMemory(have, length - have)).ConfigureAwait(false);
            if (count == 0)
                return null;
            have += count;
        }
    }
}

/// <summary>A header, and how it was written: an answer is written the same way.</summary>
public readonly record struct ReceivedHeader(StreamHeader Header, HeaderFormat Format);
