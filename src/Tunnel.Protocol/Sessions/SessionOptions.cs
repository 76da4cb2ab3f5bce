using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;

namespace Tunnel.Protocol.Sessions;

/// <summary>The knobs of a session's whole stack.</summary>
/// <param name="Kcp">The ARQ engine; its mtu is what is left of <paramref name="Mtu"/> after the cipher.</param>
/// <param name="Mux">The multiplexer.</param>
/// <param name="Mtu">Bytes of a sealed datagram at most (the configured mtu), without the guard.</param>
public sealed record SessionOptions(KcpOptions Kcp, MuxOptions Mux, int Mtu)
{
    /// <summary>
    /// A datagram that every path carries, whatever it wears: the 1280 bytes that IPv6 demands of each link, less its header of 40, the
    /// longest TCP header of ours (40) and the guard's 12.
    /// </summary>
    public const int SafeMtu = 1188;

    /// <summary>Options whose KCP mtu fits a cipher's overhead.</summary>
    public static SessionOptions Create(KcpOptions kcp, MuxOptions mux, int mtu, int cipherOverhead) =>
        new(kcp with { Mtu = Math.Min(KcpEngine.MaximumDatagram, mtu) - cipherOverhead }, mux, Math.Min(KcpEngine.MaximumDatagram, mtu));
}
