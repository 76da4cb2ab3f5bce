using Tunnel.EndToEnd.Harness;

// The machine's interfaces, packet filter and two cores are one thing for all tests: they take turns (Alone), but for those that have nothing of it
// to themselves, which come first, two at a time.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]

[assembly: AssemblyFixture(typeof(Leftovers))]
