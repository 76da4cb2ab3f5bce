namespace Tunnel.Ctl.Ping;

/// <summary>What a round trip goes through.</summary>
internal enum PingLevel
{
    /// <summary>KCP's window probe and its answer: one datagram each way, nothing retransmitted. Every KCP end answers.</summary>
    Link,

    /// <summary>A smux keepalive in a KCP segment, until it is acknowledged.</summary>
    Session,

    /// <summary>A stream is opened, PING goes out, PONG comes back.</summary>
    Stream,
}
