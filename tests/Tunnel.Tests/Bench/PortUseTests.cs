using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Check;

namespace Tunnel.Tests.Bench;

public sealed class PortUseTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("tunnel-ports-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void ItIsReadFromTheKernelsFiles()
    {
        Write("proc/net/sockstat", "sockets: used 20\nTCP: inuse 4 orphan 0 tw 15557 alloc 6 mem 0\nUDP: inuse 1 mem 0\n");
        Write("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
        Write("proc/sys/net/ipv4/tcp_tw_reuse", "2\n");
        Assert.Equal(new PortUse(15557, 28232, 2), PortUse.Read(new KernelFiles(_root.FullName)));
    }

    [Fact]
    public void WhatTheKernelDoesNotTellIsNotGuessed()
    {
        Write("proc/net/sockstat", "sockets: used 20\n");
        Assert.Null(PortUse.Read(new KernelFiles(_root.FullName)));
    }

    [Theory]
    [InlineData(14_000, 2, false, true)]
    [InlineData(14_000, 0, true, true)]
    [InlineData(14_000, 2, true, false)]
    [InlineData(14_000, 1, false, false)]
    [InlineData(10_000, 2, false, false)]
    public void PortsThatAreUsedUpAreSaid(long waiting, int reuse, bool isLoopback, bool said) =>
        Assert.Equal(said, new PortUse(waiting, 28_232, reuse).Warning(isLoopback).Contains("TIME_WAIT"));

    [Theory]
    [InlineData("10.0.0.2:9001", null, false)]
    [InlineData("127.0.0.1:9001", null, true)]
    [InlineData("http://localhost:9000/", null, true)]
    [InlineData("10.0.0.2:9001", "socks5://127.0.0.1:1080", true)]
    [InlineData("127.0.0.1:9001", "socks5://10.0.0.2:1080", false)]
    public void TheFirstHopDecides(string target, string? through, bool isLoopback) =>
        Assert.Equal(isLoopback, (SampleBench.Of([1000], 4).Load with { Target = target, Through = through }).IsLoopback);

    private void Write(string path, string text)
    {
        string file = Path.Combine(_root.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
