namespace Tunnel.Protocol.Wire;

/// <summary>Numbers of the IP protocol field and of IPv6's next header field.</summary>
public static class IPProtocols
{
    public const byte HopByHop = 0;
    public const byte Tcp = 6;
    public const byte Udp = 17;
    public const byte Routing = 43;
    public const byte Fragment = 44;
    public const byte DestinationOptions = 60;
}
