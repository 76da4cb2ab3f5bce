using Tunnel.App.Runtime;

namespace Tunnel.App.Services;

/// <summary>How datagrams are told apart on a stream; chosen when it is opened, the same at both ends.</summary>
public abstract class UdpFraming
{
    /// <summary>Room that a received datagram may need.</summary>
    public const int MaximumDatagram = 65_535;

    /// <summary>One frame of the multiplexer is one datagram, as paqet has it.</summary>
    public static readonly UdpFraming OnePerFrame = new OnePerFrameFraming();

    /// <summary>Each datagram behind its length, u16 big-endian: frames may be cut and joined anywhere, and a datagram may be empty.</summary>
    public static readonly UdpFraming LengthPrefixed = new LengthPrefixedFraming();

    /// <summary>Readies the stream for datagrams, before anything behind its header is read; false when it is too late.</summary>
    public abstract bool Begin(TunnelStream stream);

    /// <summary>Sends a datagram; false when it was dropped, because it can never be sent.</summary>
    /// <exception cref="IOException">The stream or its session ended.</exception>
    public abstract ValueTask<bool> SendAsync(TunnelStream stream, ReadOnlyMemory<byte> datagram);

    /// <summary>Waits for a datagram: its length, or <see cref="End"/>.</summary>
    /// <exception cref="IOException">The stream or its session ended.</exception>
    public abstract ValueTask<int> ReceiveAsync(TunnelStream stream, Memory<byte> destination);

    /// <summary>What <see cref="ReceiveAsync"/> says at the end of the stream; a datagram's length is 0 or more.</summary>
    public const int End = -1;
}
