namespace Tunnel.Protocol.Wire;

/// <summary>Why a frame is not a TCP segment that can be read. <see cref="None"/> means that it is.</summary>
public enum WireDrop : byte
{
    None,

    /// <summary>Shorter than its Ethernet header and tags.</summary>
    EthernetTruncated,

    /// <summary>More than <see cref="EthernetView.MaxTags"/> VLAN tags.</summary>
    TooManyTags,

    /// <summary>The EtherType is neither IPv4 nor IPv6.</summary>
    NotIP,

    /// <summary>The version in the IP header is not the one the EtherType promised.</summary>
    BadIPVersion,

    /// <summary>Shorter than the IPv4 header or than the total length in it.</summary>
    IPv4Truncated,

    /// <summary>The header length is below 20 bytes, or the total length is below the header length.</summary>
    IPv4BadLength,

    /// <summary>Shorter than the IPv6 header, the payload length in it, or an extension header.</summary>
    IPv6Truncated,

    /// <summary>More than <see cref="IPv6View.MaxExtensions"/> extension headers.</summary>
    IPv6TooManyExtensions,

    /// <summary>A fragment of a packet: fragments are never put together.</summary>
    Fragment,

    /// <summary>The IP packet carries another protocol.</summary>
    NotTcp,

    /// <summary>Shorter than the TCP header.</summary>
    TcpTruncated,

    /// <summary>The TCP data offset is below 5.</summary>
    TcpBadOffset,
}
