using BenchmarkDotNet.Running;
using Tunnel.Perf;

BenchmarkSwitcher.FromAssembly(typeof(PerfConfig).Assembly).Run(args, PerfConfig.Create());
