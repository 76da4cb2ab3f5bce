namespace Tunnel.Links.Host.Filtering;

/// <summary>One way to talk to the kernel's packet filter. Throws <see cref="ToolException"/> where a method does not say otherwise.</summary>
internal interface IFirewallBackend
{
    string Tool { get; }

    /// <summary>Installs the rules in the place of what had their name.</summary>
    void Install(FirewallRules rules, FirewallOwner owner);

    /// <summary>The rules of that name as the tool prints them, or null if there are none. Does not throw.</summary>
    string? Read(FirewallRules rules);

    /// <summary>Removes what has that name. Does not throw.</summary>
    void Remove(string name);

    /// <summary>The names like ours that exist. Does not throw.</summary>
    IReadOnlyList<string> Names();

    /// <summary>Who owns the rules of that name; null if there are none or nobody says. Does not throw.</summary>
    FirewallOwner? Owner(string name);

    ManualCommands Manual(FirewallRules rules);
}

internal static class FirewallBackends
{
    /// <summary>In the order of preference.</summary>
    internal static IReadOnlyList<IFirewallBackend> All(RunTool run) => [new NftBackend(run), new IptablesBackend(run)];
}
