namespace Tunnel.Links.Pcap;

/// <summary>How a <see cref="PcapLink"/> captures.</summary>
public sealed record PcapOptions
{
    /// <summary>The interface to capture and inject on.</summary>
    public required string Interface { get; init; }

    /// <summary>The first of the TCP destination ports that are captured.</summary>
    public required int FirstPort { get; init; }

    /// <summary>The last one; the same as the first, or left at 0, for a single port.</summary>
    public int LastPort { get; init; }

    /// <summary>
    /// Longest frame captured whole. Null chooses: little more than the MTU where the kernel does not merge received segments, 65535
    /// where it does, and from the moment on when a longer frame shows up after all.
    /// </summary>
    /// <remarks>
    /// In immediate mode libpcap reads a TPACKET_V2 ring, whose slots all have the size of the longest frame. libpcap itself lowers
    /// that size to the MTU only if no offload at all is on, which is rare. Measured on a veth pair with the default buffer, in a burst
    /// of 4000 frames of 1400 bytes: see <see cref="Immediate"/>.
    /// </remarks>
    public int? SnapLength { get; init; }

    /// <summary>Whether to capture what is not addressed to the interface.</summary>
    public bool Promiscuous { get; init; }

    /// <summary>Deliver each frame as it arrives (a ring of slots), rather than a block when it is full or the timeout is over.</summary>
    public bool Immediate { get; init; } = true;

    /// <summary>How long the kernel may hold a block that is not full, if not <see cref="Immediate"/>.</summary>
    public int TimeoutMilliseconds { get; init; } = 1;

    /// <summary>Bytes in the capture ring.</summary>
    public int BufferBytes { get; init; } = 8 << 20;

    internal int EffectiveLastPort => Math.Max(FirstPort, LastPort);

    /// <summary>
    /// The filter in libpcap's language. `vlan` comes last because it moves the offsets of everything behind it in the expression.
    /// libpcap puts a tag that the device or the kernel stripped back into the frame, so the receiver sees tagged frames tagged.
    /// </summary>
    internal string Filter
    {
        get
        {
            string ports = FirstPort == EffectiveLastPort ? $"dst port {FirstPort}" : $"dst portrange {FirstPort}-{EffectiveLastPort}";
            return $"(tcp and {ports}) or (vlan and tcp and {ports})";
        }
    }
}
