namespace Tunnel.Links.AfPacket;

/// <summary>How an <see cref="AfPacketLink"/> captures and sends.</summary>
public sealed record AfPacketOptions
{
    /// <summary>The interface to capture and inject on.</summary>
    public required string Interface { get; init; }

    /// <summary>The first of the TCP destination ports that are captured.</summary>
    public required int FirstPort { get; init; }

    /// <summary>The last one; the same as the first, or left at 0, for a single port.</summary>
    public int LastPort { get; init; }

    /// <summary>Bytes the kernel may hold for this socket before it drops; beyond the system's limit only with CAP_NET_ADMIN.</summary>
    public int ReceiveBufferBytes { get; init; } = 8 << 20;

    /// <summary>Bytes the kernel may hold that are on their way out.</summary>
    public int SendBufferBytes { get; init; } = 8 << 20;

    /// <summary>
    /// Hand frames to the device past its queueing discipline. Then nothing is shaped or fairly queued, and merged frames go only where
    /// the device cuts them itself, for the kernel does so on the way through the queue. It saved nothing to a tenth of a send's cost.
    /// </summary>
    public bool BypassQueue { get; init; }

    internal int EffectiveLastPort => Math.Max(FirstPort, LastPort);
}
