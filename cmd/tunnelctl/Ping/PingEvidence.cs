namespace Tunnel.Ctl.Ping;

/// <summary>What was seen while a server was asked: from this, and nothing else, a diagnosis is made.</summary>
internal sealed record PingEvidence
{
    /// <summary>address:port</summary>
    public required string Server { get; init; }

    /// <summary>pcap, afpacket or udp.</summary>
    public required string Link { get; init; }

    /// <summary>The file has the guard on.</summary>
    public bool HasGuard { get; init; } = true;

    /// <summary>PONG came back at least once.</summary>
    public bool Answered { get; init; }

    /// <summary>The server acknowledged a segment: link, guard, cipher and key are right.</summary>
    public bool Acknowledged { get; init; }

    /// <summary>Why no PONG came although the server is there; empty when it was only late.</summary>
    public string Refusal { get; init; } = "";

    /// <summary>Frames with a payload from the server.</summary>
    public long Frames { get; init; }

    /// <summary>RST segments in the server's name: its kernel's, or those of a firewall that rejects; they look the same.</summary>
    public long Resets { get; init; }

    /// <summary>Frames that the kernel did not take.</summary>
    public long SendErrors { get; init; }

    /// <summary>Datagrams from the server that the guard refused.</summary>
    public long DroppedByGuard { get; init; }

    /// <summary>Datagrams from the server that did not open.</summary>
    public long DroppedByCipher { get; init; }

    /// <summary>Datagrams from the server with forward error correction.</summary>
    public long DroppedByFec { get; init; }

    /// <summary>What a router or the server said by ICMP, with who said it; empty for nothing.</summary>
    public string Unreachable { get; init; } = "";

    /// <summary>Somebody said in the server's name that the UDP port is unreachable: no socket listens there, or a firewall rejects.</summary>
    public bool PortUnreachable { get; init; }

    /// <summary>The server's host answers an echo request; null when that could not be asked.</summary>
    public bool? HostAnswersEcho { get; init; }

    /// <summary>The server's clock minus this one's, by ICMP timestamp; null when it does not tell.</summary>
    public double? ClockDifferenceSeconds { get; init; }

    /// <summary>How far the guard lets clocks be apart; null without one.</summary>
    public double? ClockToleranceSeconds { get; init; }
}
