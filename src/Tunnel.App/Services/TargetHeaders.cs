using Tunnel.App.Runtime;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>The headers of streams to one target, by which they are asked for: the same for each of them, so they are written once. Thread-safe.</summary>
/// <param name="target">Where to.</param>
/// <param name="format">How the server reads headers.</param>
internal sealed class TargetHeaders(Target target, HeaderFormat format)
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

    /// <summary>How much of a header's rest belongs into one frame.</summary>
    public int FirstPart(ReadOnlySpan<byte> rest, bool isDial) => StreamHeaderReader.FirstPart(isDial ? HeaderFormat.V1 : format, rest);
}
