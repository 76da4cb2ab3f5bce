using Tunnel.EndToEnd.Harness;

// The machine's interfaces, packet filter and two cores are one thing for all tests.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

[assembly: AssemblyFixture(typeof(Leftovers))]
