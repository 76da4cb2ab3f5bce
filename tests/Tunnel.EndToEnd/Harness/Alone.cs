namespace Tunnel.EndToEnd.Harness;

/// <summary>
/// Tests beside which no other runs: all, unless their class names a collection of its own. It may when it has its own hosts, so that it shares
/// neither ports nor interfaces nor rules with others, and asks nothing of how fast anything is.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
