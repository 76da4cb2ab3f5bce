namespace Tunnel.EndToEnd.Harness;

/// <summary>
/// Tests beside which no other runs: all, unless their class names a collection of its own. It may when it has hosts of its own, so that it shares
/// neither ports nor interfaces nor rules with others, waits more than it works, and its limits leave room for another beside it.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
