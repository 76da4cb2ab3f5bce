namespace Tunnel.Ctl.Check.Knobs;

/// <summary>Everything that can be set, in the order in which it is.</summary>
internal static class KnobCatalog
{
    public static readonly RingKnob Rings = new();
    public static readonly CoalescingKnob Coalescing = new();
    public static readonly RpsKnob Rps = new();
    public static readonly RfsKnob Rfs = new();
    public static readonly ReservedPortsKnob ReservedPorts = new();

    /// <summary>The flow table is set before the queues' shares of it.</summary>
    public static IReadOnlyList<Knob> All { get; } = [.. SysctlKnobs.All, ReservedPorts, Rings, Coalescing, Rps, Rfs];

    /// <summary>By its whole name, or by the last part of a sysctl's: somaxconn. Null when there is none, or more than one.</summary>
    public static Knob? Find(string name) =>
        All.FirstOrDefault(k => k.Name == name)
        ?? (All.Where(k => k.Name.EndsWith("." + name, StringComparison.Ordinal)).ToArray() is [var only] ? only : null);
}
