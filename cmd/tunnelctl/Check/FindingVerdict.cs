namespace Tunnel.Ctl.Check;

/// <summary>What a finding comes to.</summary>
internal enum FindingVerdict
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>It works, and would work better otherwise.</summary>
    Advice,

    /// <summary>The tunnel cannot work like this, or not for long.</summary>
    Broken,

    /// <summary>It could not be found out; the finding says why. Counts for nothing.</summary>
    Unknown,
}
