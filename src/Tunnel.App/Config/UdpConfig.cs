namespace Tunnel.App.Config;

/// <summary>How flows of applications' datagrams are kept: [udp].</summary>
/// <param name="Idle">A flow without a datagram either way for this long ends.</param>
/// <param name="AnsweredIdle">The same for a short exchange with a port below 1024, once all that was asked has been answered.</param>
/// <param name="MaxFlows">Flows at one time; null: half of the streams that one server's sessions may have.</param>
/// <param name="MaxAssociations">Associations of a SOCKS5 listener at one time.</param>
public readonly record struct UdpConfig(TimeSpan Idle, TimeSpan AnsweredIdle, int? MaxFlows, int MaxAssociations);
