namespace Tunnel.App.Runtime.Resolving;

/// <summary>What a name server said about a name's SRV records.</summary>
/// <param name="Records">None where the name does not exist, or offers nothing (the one record with the target ".").</param>
/// <param name="TimeToLive">For how long it may be believed.</param>
public sealed record SrvAnswer(IReadOnlyList<SrvRecord> Records, TimeSpan TimeToLive);

/// <summary>An SRV record (RFC 2782).</summary>
/// <param name="Target">A name without the dot at its end.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="Priority">Lower is preferred.</param>
/// <param name="Weight">The share among records of the same priority.</param>
public sealed record SrvRecord(string Target, int Port, int Priority, int Weight);

/// <summary>No name server gave a usable answer.</summary>
public sealed class ResolveException(string message) : IOException(message);
