namespace Tunnel.EndToEnd.Harness;

/// <summary>
/// Tests beside which no other runs: all, unless their class names a collection of its own. It may when it shares neither ports nor interfaces nor
/// rules with others (it has hosts of its own, or asks the kernel for ports), and its limits leave room for another beside it.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
