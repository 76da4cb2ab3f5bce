using Tunnel.App.Runtime;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>The words by which streams to one target are asked for: the same for each of them, so they are written once. Thread-safe.</summary>
/// <param name="target">Where to.</param>
/// <param name="format">How the server reads headers.</param>
internal sealed class StreamRequestWords(Target target, HeaderFormat format)
{
    private byte[]? _dial;
    private byte[]? _plain;

    public Target Target { get; } = target;

    public StreamUse Use { get; } = new(StreamRequest.Tcp, target);

    /// <summary>
    /// For a peer that says how the dial went: the other formats have no word for it, and whoever announced it reads them all. Never changes.
    /// </summary>
    public ReadOnlyMemory<byte> Dial => _dial ??= HeaderExchange.Write(new StreamHeader(StreamRequest.Dial, Target), HeaderFormat.V1);

    /// <summary>For a peer that does not. Never changes.</summary>
    public ReadOnlyMemory<byte> Plain => _plain ??= HeaderExchange.Write(new StreamHeader(StreamRequest.Tcp, Target), format);

    /// <summary>How much of the words belongs into one frame.</summary>
    public int FirstPart(ReadOnlySpan<byte> words, bool isDial) => StreamHeaderReader.FirstPart(isDial ? HeaderFormat.V1 : format, words);
}
