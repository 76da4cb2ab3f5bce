namespace Tunnel.App.Config.Schema;

/// <summary>The keys of [targets].</summary>
internal static class ServiceKeys
{
    public static readonly ConfigKey<IReadOnlyList<TargetRule>> TargetsAllow = new("targets", "allow", TargetRulesType.List)
    {
        Side = ConfigSide.Server,
        Default = "[]",
        Doc = "Where streams may go. Empty: everywhere that is not denied, this machine's own loopback and its neighbours included.",
    };

    public static readonly ConfigKey<IReadOnlyList<TargetRule>> TargetsDeny = new("targets", "deny", TargetRulesType.List)
    {
        Side = ConfigSide.Server,
        Default = "[]",
        Doc = "Where they may not, whatever is allowed. Names are judged as names, and once more by the addresses that they resolve to; an "
            + "address is judged by networks only. IPv4-mapped addresses count as IPv4.",
    };

    public static readonly IReadOnlyList<ConfigKey> All = [TargetsAllow, TargetsDeny];
}
