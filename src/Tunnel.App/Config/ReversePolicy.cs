using System.Net;

namespace Tunnel.App.Config;

/// <summary>Where a server's clients may have it listen: what is not allowed is denied.</summary>
/// <param name="Allow">Of addresses. Empty: nowhere.</param>
public sealed record ReversePolicy(IReadOnlyList<TargetRule> Allow)
{
    /// <summary>An address for every address is judged as itself: an allowed 10.0.0.0/8 does not open 0.0.0.0.</summary>
    public bool Permits(IPEndPoint listen) => Allow.Any(rule => rule.MatchesAddress(listen.Address, listen.Port));

    public override string ToString() => $"allow [{string.Join(", ", Allow)}]";
}
