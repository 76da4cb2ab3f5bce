using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>A datagram as it came off a link, without what carried it.</summary>
public readonly ref struct Arrival
{
    public required Endpoint Peer { get; init; }

    /// <summary>What it carried: guard and sealed datagram, or several of them merged on the way.</summary>
    public required ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>On Ethernet links, how to answer: the addresses of the frame, turned round.</summary>
    public FlowAddresses Answer { get; init; }

    /// <summary>On Ethernet links, the TCP sequence number that the peer's next segment should have.</summary>
    public uint NextSequence { get; init; }

    /// <summary>On Ethernet links, the TCP sequence number that the peer expects of this end.</summary>
    public uint Acknowledgment { get; init; }

    /// <summary>On Ethernet links, the peer's TCP timestamp; 0 without the option.</summary>
    public uint Timestamp { get; init; }

    /// <summary>On datagram links, the sender's sockaddr.</summary>
    public ReadOnlySpan<byte> SocketAddress { get; init; }
}
