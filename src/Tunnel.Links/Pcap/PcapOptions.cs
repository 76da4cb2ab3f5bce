namespace Tunnel.Links.Pcap;

/// <summary>How a <see cref="PcapLink"/> captures.</summary>
public sealed record PcapOptions
{
    private const int SmallRing = 8 << 20;
    private const int LargeRing = 32 << 20;
    private const int LongSlot = 16384;

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
    /// <para>
    /// In immediate mode libpcap reads a TPACKET_V2 ring, whose slots all have the size of the longest frame. libpcap itself lowers
    /// that size to the MTU only if no offload at all is on, which is rare, so an 8 MiB ring of 65535 has 128 slots. How many of 4000
    /// frames of 1400 bytes, sent back to back over a veth pair, were there afterwards (reader asleep during the burst / reading), and
    /// how long a single frame took:
    /// </para>
    /// <code>
    /// snap length  mode       ring     asleep  reading  one frame
    /// 65535        immediate   8 MiB      128     1299       3 us
    /// 65535        immediate  64 MiB     1023     4000       3 us
    /// 2048         immediate   8 MiB     3943     4000       3 us
    /// 1564         immediate   8 MiB     4000     4000       3 us
    /// 65535        blocks      8 MiB     4000     4000    1000 us
    /// </code>
    /// <para>So: short slots when possible, a larger ring when not, and blocks only for who prefers memory to a millisecond.</para>
    /// </remarks>
    public int? SnapLength { get; init; }

    /// <summary>Whether to capture what is not addressed to the interface.</summary>
    public bool Promiscuous { get; init; }

    /// <summary>Deliver each frame as it arrives (a ring of slots), rather than a block when it is full or the timeout is over.</summary>
    public bool Immediate { get; init; } = true;

    /// <summary>How long the kernel may hold a block that is not full, if not <see cref="Immediate"/>.</summary>
    public int TimeoutMilliseconds { get; init; } = 1;

    /// <summary>Bytes in the capture ring. Null is 8 MiB, and 32 MiB when each frame takes a slot of 64 KiB.</summary>
    public int? BufferBytes { get; init; }

    internal int EffectiveLastPort => Math.Max(FirstPort, LastPort);

    internal int RingBytes(int snapLength) => BufferBytes ?? (Immediate && snapLength > LongSlot ? LargeRing : SmallRing);

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
